//! `docs/benchmark-all.md`: the cases beyond the targets, latencies and memory.

use std::fmt::Write as _;

use super::machine::Circumstances;
use super::page;
use super::result::Row;
use super::suite::{Comparison, Suite};
use super::wrk::Outcome;

/// The memory of one Envoy, in KiB, and what is in it.
pub type Memory = (String, u64);

/// The page. `latencies` are those of everything that the suite measures.
pub fn page_all(
    rows: &[Row],
    suite: &Suite,
    latencies: &[Outcome],
    memory: &[Memory],
    of: &Circumstances,
) -> String {
    let mut page = String::from(
        "# Further benchmarks\n\n\
         What `make bench-all` measures beyond [the targets](benchmark.md), in the same way and the same rounds.\n\n",
    );
    page += &page::circumstances(of);
    page +=
        "\n| case | native overhead, µs | ours, µs | ratio [95 % interval] |\n|---|---|---|---|\n";
    for row in rows {
        page += &page::cells(row);
        page += "|\n";
    }
    page += "\nPS256 and EdDSA are checked in Wasm, because Envoy has no call for them; the other algorithms by \
             Envoy. A seen token of 8 KiB is\ncompared with the native pair that sees it for the first time, \
             because that is all the same to it.\n\n\
             ## Latency\n\n\
             Median and 99th percentile as `wrk` sees them with one connection, so that no request waits for another, \
             in microseconds.\n\n\
             | case | plain | native | ours |\n|---|---|---|---|\n";
    for comparison in suite.comparisons.iter().filter(|it| !suite.measured[it.base].chain.is_ours())
    {
        let Comparison { title, plain, base, ours, .. } = comparison;
        let of = |place: &usize| format!("{} / {}", latencies[*place].p50, latencies[*place].p99);
        let _ = writeln!(page, "| {title} | {} | {} | {} |", of(plain), of(base), of(ours));
    }
    page += "\n## Memory\n\n\
             Resident memory of the Envoy process with nothing but one listener, after 10,000 tokens and more.\n\n\
             | listener | MiB |\n|---|---|\n";
    for (name, kibibytes) in memory {
        let _ = writeln!(page, "| {name} | {} |", kibibytes / 1024);
    }
    page
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
        let outcome =
            |p50| Outcome { requests: 1, refused: 0, errors: 0, next: 0, p50, p99: p50 * 2 };
        let latencies = [outcome(80), outcome(170), outcome(100)];
        let memory = [("10 routes, native".to_owned(), 70 * 1024)];
        let page = page_all(&[row()], &suite, &latencies, &memory, &of_a_run());
        for line in [
            "| token seen before | 81.3 | 8.9 | 0.110 [0.104, 0.115] |\n",
            "| token seen before | 80 / 160 | 170 / 340 | 100 / 200 |\n",
            "| 10 routes, native | 70 |\n",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }
}
