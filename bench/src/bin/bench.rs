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
use jwt_rbac_bench::result::{self, Row};
use jwt_rbac_bench::round::{Bench, CONNECTIONS, Results, TokenFiles};
use jwt_rbac_bench::suite::{self, Suite};
use jwt_rbac_bench::wrk::{self, Outcome};
use jwt_rbac_bench::{further, load, page, page_refused, pinned, plot, refused};
use jwt_rbac_e2e::artifacts;

const USAGE: &str = "usage: bench [--all] [--rounds N] [--seconds S] [--only NAME] [--beside MODULE]
MODULE: another build of the filter, to measure this one beside it. No page is written.
NAME: `refused` for the refused requests that cost most, or the name of one listener as the progress shows it, or the
end of that name, for a profiler. No page is written.";
/// The name of [`refused::suite`] for `--only`.
const REFUSED: &str = "refused";

const USUAL: Length = Length { rounds: 9, seconds: 5 };
/// For `--all`: there is much more to measure, and no target depends on it.
const USUAL_OF_ALL: Length = Length { rounds: 3, seconds: 3 };
/// How long the latencies of one listener are measured.
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
    // Fail now, not after minutes.
    wrk::version()?;
    let usual = if options.all { USUAL_OF_ALL } else { USUAL };
    let rounds = options.rounds.unwrap_or(usual.rounds);
    let seconds = options.seconds.unwrap_or(usual.seconds);
    let length = Length { rounds, seconds };
    let place = Place {
        binary: artifacts::envoy()?,
        module: artifacts::wasm()?,
        cpus: pinned::two_cpus()?,
        length,
    };
    if options.only.as_deref() == Some(REFUSED) {
        println!("\n{}", page_refused::table(&place.refused()?));
        return Ok(());
    }
    if let Some(other) = &options.beside {
        return place.beside(other);
    }
    let mut suite = suite::standard();
    if options.all {
        further::add(&mut suite);
    }
    if let Some(name) = &options.only {
        suite.keep(name);
    }
    let tokens = mint(&suite)?;
    let (mut bench, results) = place.measure(&suite, &tokens)?;
    if options.only.is_some() {
        return Ok(());
    }
    let of = Circumstances::of(&bench, &place.module, length, results.least_busy)?;
    let rows = result::rows(&suite, &results);
    if options.all {
        let latencies = latencies(&mut bench, suite.measured.len())?;
        drop(bench);
        let refused = place.refused()?;
        let memory = place.memory(&tokens)?;
        let page = page_all::page_all(&rows, &refused, &suite, &latencies, &memory, &of);
        println!("\n{page}");
        return write(&length.directory(usual), "benchmark-all.md", &page);
    }
    drop(bench);
    println!("measuring what loading costs …");
    let loads = load::measure(&place.binary, &place.module, |load| println!("{load:?}"))?;
    let page = page::page(&rows, &loads, result::plain_cost(&suite, &results), &of);
    println!("\n{page}");
    let directory = length.directory(usual);
    write(&directory, "benchmark.md", &page)?;
    write(&directory, "benchmark.svg", &plot::svg(&rows))
}

/// The programs and CPUs of a measurement, and its length.
struct Place {
    binary: PathBuf,
    module: PathBuf,
    cpus: (usize, usize),
    length: Length,
}

impl Place {
    /// Measures a suite in an Envoy of its own.
    fn measure<'p>(
        &self,
        suite: &'p Suite,
        tokens: &'p TokenFiles,
    ) -> Result<(Bench<'p>, Results), String> {
        println!("starting {} …", self.binary.display());
        let mut bench = Bench::start(&self.binary, &self.module, suite, tokens, self.cpus)?;
        println!("warming up …");
        let Length { rounds, seconds } = self.length;
        let mut progress = Progress::new(suite.measured.len(), rounds);
        let results = bench.rounds(rounds, seconds, |name, cost, rest| {
            progress.show(name, cost, rest);
        })?;
        Ok((bench, results))
    }

    /// The comparisons of [`refused::suite`].
    fn refused(&self) -> Result<Vec<Row>, String> {
        let suite = refused::suite();
        let tokens = mint(&suite)?;
        let (_, results) = self.measure(&suite, &tokens)?;
        Ok(result::rows(&suite, &results))
    }

    /// Measures the module beside another build of it, and prints the results.
    fn beside(&self, other: &Path) -> Result<(), String> {
        let suite = suite::beside(other);
        let tokens = mint(&suite)?;
        let (bench, results) = self.measure(&suite, &tokens)?;
        drop(bench);
        println!("\n{}", page::beside(&result::rows(&suite, &results)));
        for module in [other, &self.module] {
            let size = fs::metadata(module).map_err(|error| error.to_string())?.len();
            let loads = load::measure(&self.binary, module, |_| ())?;
            println!("\n{}\n\n{}", module.display(), load::table(&loads, size));
        }
        Ok(())
    }

    /// The memory of an Envoy for each of [`further::memory`].
    fn memory(&self, tokens: &TokenFiles) -> Result<Vec<Memory>, String> {
        println!("measuring memory …");
        let measure = |suite: Suite| {
            let mut bench = Bench::start(&self.binary, &self.module, &suite, tokens, self.cpus)?;
            let mut sent = 0;
            while sent < Callers::RS256.count() {
                sent += usize::try_from(bench.run(0, CONNECTIONS, 2)?.outcome.requests)
                    .unwrap_or(usize::MAX);
            }
            Ok((suite.measured[0].name.clone(), bench.resident_memory()))
        };
        further::memory().into_iter().map(measure).collect()
    }
}

fn mint(suite: &Suite) -> Result<TokenFiles, String> {
    TokenFiles::mint(suite, |callers| {
        println!("minting {} tokens: {callers:?}", callers.count());
    })
}

/// What `wrk` sees of each listener when requests are sent one after the other.
fn latencies(bench: &mut Bench<'_>, count: usize) -> Result<Vec<Outcome>, String> {
    println!("measuring latencies …");
    (0..count).map(|target| Ok(bench.run(target, 1, LATENCY_SECONDS)?.outcome)).collect()
}
