//! `make costs`: measures what each step of a request costs and writes `docs/costs.md` and its plot.

use std::env;
use std::process::ExitCode;

use jwt_rbac_bench::costs::Costs;
use jwt_rbac_bench::machine::Circumstances;
use jwt_rbac_bench::report::{Length, Progress, write};
use jwt_rbac_bench::round::{Bench, TokenFiles};
use jwt_rbac_bench::{page_costs, pinned, stack, wrk};
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::package;

const USAGE: &str = "usage: costs [--rounds N] [--seconds S]";

/// Steps cost little, so what is compared must be measured within seconds: many short rounds.
const USUAL: Length = Length { rounds: 20, seconds: 1 };

fn main() -> ExitCode {
    match length().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\ncosts: {message}");
            ExitCode::FAILURE
        }
    }
}

fn length() -> Result<Length, String> {
    let mut length = USUAL;
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|text| text.parse::<u32>().ok());
        let number = number.filter(|number| *number > 0).ok_or(USAGE)?;
        match argument.as_str() {
            "--rounds" => length.rounds = number as usize,
            "--seconds" => length.seconds = number,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(length)
}

fn run(length: Length) -> Result<(), String> {
    // Fail now, not after minutes.
    wrk::version()?;
    let cpus = pinned::two_cpus()?;
    let (binary, module) = (artifacts::envoy()?, artifacts::wasm()?);
    let costs = Costs::new(&package::module("jwt-rbac-floor")?);
    let tokens = TokenFiles::mint(&costs.suite, |callers| {
        println!("minting {} tokens: {callers:?}", callers.count());
    })?;
    println!("starting {} …", binary.display());
    let mut bench = Bench::start(&binary, &module, &costs.suite, &tokens, cpus)?;
    println!("warming up …");
    let mut progress = Progress::new(costs.suite.measured.len(), length.rounds);
    let results = bench.rounds(length.rounds, length.seconds, |name, cost, rest| {
        progress.show(name, cost, rest);
    })?;
    let of = Circumstances::of(&bench, &module, length, results.least_busy)?;
    let page = page_costs::page_costs(&costs, &results, &of);
    println!("\n{page}");
    let directory = length.directory(USUAL);
    write(&directory, "costs.md", &page)?;
    write(&directory, "costs.svg", &stack::svg(&costs.cases, &results))
}
