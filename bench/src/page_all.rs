//! `docs/benchmark-all.md`: the cases of the targets and many more, latencies and memory.

use std::fmt::Write as _;

use super::machine::Circumstances;
use super::result::Row;
use super::suite::{Comparison, Suite};
use super::wrk::Outcome;
use super::{page, page_refused, template};

/// The name of a listener, and the memory of an Envoy that has nothing else, in bytes.
pub type Memory = (String, u64);

/// The page with these figures. `refused` has a table of its own; `latencies` has an entry for each
/// listener of the suite.
pub fn page_all(
    rows: &[Row],
    refused: &[Row],
    suite: &Suite,
    latencies: &[Outcome],
    memory: &[Memory],
    of: &Circumstances,
) -> String {
    template::fill(
        include_str!("../pages/benchmark-all.md"),
        &[
            ("circumstances", page::circumstances(of)),
            ("rounds", of.rounds.to_string()),
            ("seconds", of.seconds.to_string()),
            ("table: CPU time", cpu_table(rows)),
            ("table: refused", page_refused::table(refused)),
            ("table: latency", latency_table(suite, latencies)),
            ("table: memory", memory_table(memory)),
        ],
    )
}

fn cpu_table(rows: &[Row]) -> String {
    let mut table = "| case | native pair, µs | ours, µs | ratio |\n|---|---|---|---|\n".to_owned();
    table.extend(rows.iter().map(line));
    table
}

fn latency_table(suite: &Suite, latencies: &[Outcome]) -> String {
    let mut table = "| case | plain | native | ours |\n|---|---|---|---|\n".to_owned();
    for comparison in suite.comparisons.iter().filter(|it| !suite.measured[it.base].chain.is_ours())
    {
        let Comparison { title, plain, base, ours, .. } = comparison;
        let of = |place: &usize| format!("{} / {}", latencies[*place].p50, latencies[*place].p99);
        let _ = writeln!(table, "| {title} | {} | {} | {} |", of(plain), of(base), of(ours));
    }
    table
}

fn memory_table(memory: &[Memory]) -> String {
    let mut table = "| listener | MiB |\n|---|---|\n".to_owned();
    for (name, bytes) in memory {
        let _ = writeln!(table, "| {name} | {} |", bytes >> 20);
    }
    table
}

fn line(row: &Row) -> String {
    let Row { comparison, base, ours, .. } = row;
    let ratio = page::ratio_over_noise(row);
    let [base, ours] = [*base, *ours].map(page::figures);
    format!("| {} | {base} | {ours} | {ratio} |\n", comparison.title)
}

#[cfg(test)]
mod tests {
    use super::super::listeners::Chain;
    use super::super::page::tests::{of_a_run, row};
    use super::super::suite::{CacheUse, Request};
    use super::*;

    #[test]
    fn every_table_has_its_lines() {
        let mut suite = Suite::default();
        let request = Request::seen("seen", "/".to_owned());
        let plain = suite.plain(&request);
        let base = suite.native(&request, Chain::Native(serde_json::Value::Null), 200);
        let ours = suite.ours(&request, serde_json::Value::Null, 200, CacheUse::Hits);
        suite.compare("token seen before", plain, base, ours, None, None);
        let outcome = |p50| Outcome {
            requests: 1,
            refused: 0,
            errors: 0,
            next: 0,
            p50,
            p99: p50 * 2,
            microseconds: 1_000_000,
        };
        let latencies = [outcome(80), outcome(170), outcome(100)];
        let memory = [("10 routes, native".to_owned(), 70 << 20)];
        let page = page_all(&[row()], &[], &suite, &latencies, &memory, &of_a_run());
        for line in [
            "| token seen before | 81.3 [80.0, 82.6] | 8.9 [8.5, 9.3] | 0.110 [0.104, 0.115] |\n",
            "| token seen before | 80 / 160 | 170 / 340 | 100 / 200 |\n",
            "| 10 routes, native | 70 |\n",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }

    #[test]
    fn there_is_no_ratio_to_noise() {
        let mut row = row();
        row.base.low = -0.2;
        assert!(line(&row).ends_with(" | 8.9 [8.5, 9.3] | – |\n"));
    }
}
