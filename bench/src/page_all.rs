//! `docs/benchmark-all.md`: the cases of the targets and many more, latencies and memory.

use std::fmt::Write as _;

use super::machine::Circumstances;
use super::result::Row;
use super::suite::{Comparison, Suite};
use super::wrk::Outcome;
use super::{page, page_refused};

/// What is in an Envoy, and its memory, in bytes.
pub type Memory = (String, u64);

/// The page. `refused` has a section of its own; `latencies` are those of everything that the suite measures.
pub fn page_all(
    rows: &[Row],
    refused: &[Row],
    suite: &Suite,
    latencies: &[Outcome],
    memory: &[Memory],
    of: &Circumstances,
) -> String {
    let mut page = String::from(
        "# Further benchmarks\n\n\
         The cases of [the benchmark](benchmark.md) and many more, measured in the same way. `make bench-all` writes this page.\n\n",
    );
    page += &page::circumstances(of);
    let _ = write!(
        page,
        "\n## CPU time\n\n\
         What a request costs more than behind a plain Envoy, with 95 % intervals; {} rounds, {} s each.\n\n\
         | case | native pair, µs | ours, µs | ratio |\n|---|---|---|---|\n",
        of.rounds, of.seconds,
    );
    for row in rows {
        page += &line(row);
    }
    page += "\nThere is no ratio where the native pair costs no more than noise. The base of \"10,000 routes, ours with 10 as 1\"\n\
             is ours. PS256 and EdDSA are checked in Wasm, because Envoy has no call for them; the other algorithms by Envoy. A seen\n\
             token of 8 KiB is compared with the native pair that sees it for the first time, because that is all the same to it.\n\n";
    page += &page_refused::section(refused);
    page += "\n## Latency\n\n\
             Median and 99th percentile as `wrk` sees them with one connection, so that no request waits for another, in\n\
             microseconds.\n\n\
             | case | plain | native | ours |\n|---|---|---|---|\n";
    for comparison in suite.comparisons.iter().filter(|it| !suite.measured[it.base].chain.is_ours())
    {
        let Comparison { title, plain, base, ours, .. } = comparison;
        let of = |place: &usize| format!("{} / {}", latencies[*place].p50, latencies[*place].p99);
        let _ = writeln!(page, "| {title} | {} | {} | {} |", of(plain), of(base), of(ours));
    }
    page += "\nA percentile that the plain listener has too is the machine's, not a filter's.\n\n## Memory\n\n\
             Resident memory of the Envoy process with nothing but one listener, after 10,000 tokens and more.\n\n\
             | listener | MiB |\n|---|---|\n";
    for (name, bytes) in memory {
        let _ = writeln!(page, "| {name} | {} |", bytes >> 20);
    }
    page
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
    fn nothing_is_no_measure() {
        let mut row = row();
        row.base.low = -0.2;
        assert!(line(&row).ends_with(" | 8.9 [8.5, 9.3] | – |\n"));
    }
}
