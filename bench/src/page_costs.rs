//! `docs/costs.md`: what a request pays, step by step, and what would change it.

use std::fmt::Write as _;

use super::costs::{Costs, Step};
use super::machine::Circumstances;
use super::round::Results;
use super::statistics::Estimate;
use super::{page, template};

/// The page with these figures.
pub fn page_costs(costs: &Costs, results: &Results, of: &Circumstances) -> String {
    template::fill(
        include_str!("../pages/costs.md"),
        &[
            ("listeners", costs.suite.measured.len().to_string()),
            ("rounds", of.rounds.to_string()),
            ("seconds", of.seconds.to_string()),
            ("circumstances", page::circumstances(of)),
            ("table: steps", steps(costs, results)),
            ("table: requests", requests(costs, results)),
        ],
    )
}

fn steps(costs: &Costs, results: &Results) -> String {
    let mut table = "| step | µs | 95 % interval |\n|---|---|---|\n".to_owned();
    table.extend(costs.steps.iter().map(|step| line(step, step.cost(results))));
    table
}

fn requests(costs: &Costs, results: &Results) -> String {
    let mut table =
        "| request | floor, µs | ours, µs | native pair, µs |\n|---|---|---|---|\n".to_owned();
    for case in &costs.cases {
        let all =
            [case.floor(results), case.ours(results), case.native(results)].map(page::figures);
        let _ = writeln!(table, "| {} | {} |", case.title, all.join(" | "));
    }
    table
}

fn line(step: &Step, Estimate { value, low, high }: Estimate) -> String {
    format!("| {} | {value:.1} | [{low:.1}, {high:.1}] |\n", step.title)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::page::tests::of_a_run;
    use super::*;

    #[test]
    fn every_step_has_its_line() {
        let costs = Costs::new(Path::new("floor.wasm"));
        let count = costs.suite.measured.len();
        let results = Results { costs: vec![vec![30.0, 32.0]; count], least_busy: 1.0 };
        let page = page_costs(&costs, &results, &of_a_run());
        for text in [
            "| fetching all headers | 0.0 | [0.0, 0.0] |\n",
            "| denied by permission | 0.0 [0.0, 0.0] | 0.0 [0.0, 0.0] | 0.0 [0.0, 0.0] |\n",
            "AMD EPYC, 2 CPUs, Linux 6.1.0; Envoy 1.40.0",
            "7 rounds, 5 s each",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
        let (measured, _) = page.split_once("## What would make it cheaper").unwrap();
        let lines = measured.lines().filter(|line| line.starts_with('|')).count();
        assert_eq!(lines, costs.steps.len() + costs.cases.len() + 4);
    }
}
