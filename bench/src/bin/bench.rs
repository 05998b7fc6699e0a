//! `make bench`: measures the targets of the project and writes `docs/benchmark.md` and its plot.
//! `make bench-all` measures more and writes `docs/benchmark-all.md` instead.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jwt_rbac_bench::callers::Callers;
use jwt_rbac_bench::machine::Circumstances;
use jwt_rbac_bench::page_all::{self, Memory};
use jwt_rbac_bench::report::{Length, Progress, write};
use jwt_rbac_bench::round::{Bench, CONNECTIONS, TokenFiles};
use jwt_rbac_bench::suite::{self, Suite};
use jwt_rbac_bench::wrk::{self, Outcome};
use jwt_rbac_bench::{further, load, page, pinned, plot, result};
use jwt_rbac_e2e::artifacts;

const USAGE: &str = "usage: bench [--all] [--rounds N] [--seconds S] [--only NAME] [--beside MODULE]
MODULE: another build of the filter, which this one is measured beside; nothing is written then.
NAME: what is measured, as the progress shows it, or the end of it; for a profiler. Nothing is written then.";

const USUAL: Length = Length { rounds: 9, seconds: 5 };
/// There is much more to measure then, and nothing that a target depends on.
const USUAL_OF_ALL: Length = Length { rounds: 3, seconds: 3 };
/// How long requests come one after the other.
const LATENCY_SECONDS: u32 = 2;

#[derive(Clone, Debug, Default)]
struct Options {
    all: bool,
    rounds: Option<usize>,
    seconds: Option<u32>,
    only: Option<String>,
    beside: Option<PathBuf>,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nbench: {message}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number =
            || arguments.next().and_then(|text| text.parse().ok()).filter(|it| *it > 0);
        match argument.as_str() {
            "--all" => options.all = true,
            "--rounds" => options.rounds = Some(number().ok_or(USAGE)? as usize),
            "--seconds" => options.seconds = Some(number().ok_or(USAGE)?),
            "--beside" => options.beside = Some(arguments.next().ok_or(USAGE)?.into()),
            "--only" => options.only = Some(arguments.next().ok_or(USAGE)?),
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<(), String> {
    // What is missing is better told before minutes have gone by.
    wrk::version()?;
    let cpus = pinned::two_cpus()?;
    let (binary, module) = (artifacts::envoy()?, artifacts::wasm()?);
    let mut suite = match &options.beside {
        Some(module) => suite::beside(module),
        None => suite::standard(),
    };
    if options.all {
        further::add(&mut suite);
    }
    if let Some(name) = &options.only {
        suite.keep(name);
    }
    let tokens = TokenFiles::mint(&suite, |callers| {
        println!("minting {} tokens: {callers:?}", callers.count());
    })?;
    println!("starting {} …", binary.display());
    let mut bench = Bench::start(&binary, &module, &suite, &tokens, cpus)?;
    println!("warming up …");
    let usual = if options.all { USUAL_OF_ALL } else { USUAL };
    let rounds = options.rounds.unwrap_or(usual.rounds);
    let seconds = options.seconds.unwrap_or(usual.seconds);
    let length = Length { rounds, seconds };
    let mut progress = Progress::new(suite.measured.len(), rounds);
    let results = bench.rounds(rounds, seconds, |name, cost, rest| {
        progress.show(name, cost, rest);
    })?;
    if options.only.is_some() {
        return Ok(());
    }
    let rows = result::rows(&suite, &results);
    if let Some(other) = &options.beside {
        println!("\n{}", page::beside(&rows));
        for module in [other, &module] {
            println!("\n{}\n{}", module.display(), loads(&binary, module)?);
        }
        return Ok(());
    }
    let of = Circumstances::of(&bench, &module, length, results.least_busy)?;
    if options.all {
        let latencies = latencies(&mut bench, suite.measured.len())?;
        drop(bench);
        let memory = memory(&binary, &module, &tokens, cpus)?;
        let page = page_all::page_all(&rows, &suite, &latencies, &memory, &of);
        println!("\n{page}");
        return write(&length.directory(usual), "benchmark-all.md", &page);
    }
    drop(bench);
    println!("measuring what loading costs …");
    let loads = load::measure(&binary, &module, |load| println!("{load:?}"))?;
    let page = page::page(&rows, &loads, result::plain_cost(&suite, &results), &of);
    println!("\n{page}");
    let directory = length.directory(usual);
    write(&directory, "benchmark.md", &page)?;
    write(&directory, "benchmark.svg", &plot::svg(&rows))
}

/// What loading a module costs, as a table.
fn loads(binary: &Path, module: &Path) -> Result<String, String> {
    let size = fs::metadata(module).map_err(|error| error.to_string())?.len();
    let loads = load::measure(binary, module, |_| ())?;
    Ok(load::table(&loads, size))
}

/// What `wrk` sees of everything that is measured when requests come one after the other.
fn latencies(bench: &mut Bench<'_>, count: usize) -> Result<Vec<Outcome>, String> {
    println!("measuring latencies …");
    (0..count).map(|target| Ok(bench.run(target, 1, LATENCY_SECONDS)?.outcome)).collect()
}

/// The memory of an Envoy for each of [`further::memory`].
fn memory(
    binary: &Path,
    module: &Path,
    tokens: &TokenFiles,
    cpus: (usize, usize),
) -> Result<Vec<Memory>, String> {
    println!("measuring memory …");
    let measure = |suite: Suite| {
        let mut bench = Bench::start(binary, module, &suite, tokens, cpus)?;
        let mut sent = 0;
        while sent < Callers::RS256.count() {
            sent += usize::try_from(bench.run(0, CONNECTIONS, 2)?.outcome.requests)
                .unwrap_or(usize::MAX);
        }
        Ok((suite.measured[0].name.clone(), bench.resident_memory()))
    };
    further::memory().into_iter().map(measure).collect()
}
