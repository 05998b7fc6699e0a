//! `docs/benchmark.md`: what was measured, how, and the table of the targets.

use std::fmt::Write as _;

use super::callers::Callers;
use super::machine::Circumstances;
use super::result::{self, Row};
use super::round::CONNECTIONS;
use super::statistics::Estimate;
use super::suite::SEEN;

/// The size that the module must and ought to stay below, in KiB.
const MODULE_SIZE: (u32, u32) = (1024, 700);

/// The page.
pub fn page(rows: &[Row], plain_cost: f64, of: &Circumstances) -> String {
    let mut page = how(of);
    page += &circumstances(of);
    page += "\n| case | native overhead, µs | ours, µs | ratio [95 % interval] | must | goal | verdict |\n\
             |---|---|---|---|---|---|---|\n";
    for row in rows {
        page += &line(row);
    }
    page += &size_line(of.module_size);
    let _ = write!(
        page,
        "\nA request to the plain listener costs {plain_cost:.1} µs. Ratios are comparable between machines, \
         microseconds are not.\n\n\
         Where the time goes, what stands between a figure and its target, and what was tried: [costs](costs.md).\n\n\
         ![Overheads of this filter as a part of the native pair's](benchmark.svg)\n",
    );
    page
}

fn how(of: &Circumstances) -> String {
    let Circumstances { token_sizes: [rs256, es256], rounds, seconds, .. } = of;
    let callers = Callers::RS256.count();
    format!(
        "# Benchmark\n\n\
         What a request costs behind this filter, and behind Envoy's `jwt_authn` and `rbac` with \
         the same policy as istiod\nwould configure it. `make bench` writes this page.\n\n\
         - **Cost** is the CPU time of the whole Envoy process divided by the requests it answered; \
         **overhead** is cost less\n  that of a listener without a filter in the same round; \
         **ratio** is our overhead divided by the native pair's.\n\
         - All cases are measured in turn, {rounds} rounds of {seconds} seconds. The interval is a \
         95 % bootstrap over rounds;\n  a target holds when its upper end is below it.\n\
         - One Envoy with one worker on one CPU, `wrk` with {CONNECTIONS} connections on another. \
         Each case has a listener of its\n  own; ours sets nothing that has a default, so log and \
         counters are on. Envoy itself answers what gets through.\n\
         - Requests have eight headers and a token, {rs256} bytes with RS256, {es256} with ES256, \
         with five permissions. They ask\n  for the row in the middle of ten, where it is not said \
         otherwise.\n\
         - Not seen before: {callers} tokens in turn, more than the cache holds; its counter of hits \
         stays at 0. Seen before: {SEEN}\n  tokens in turn, at least 99.9 % hits. The native pair \
         caches nothing as Istio configures it.\n\n"
    )
}

/// Machine, versions and date.
pub fn circumstances(of: &Circumstances) -> String {
    format!(
        "**Where.** {}, {}; Envoy {}; jwt-rbac {}; wrk {}; {}. Envoy had its CPU for at least {:.0} % of every run.\n",
        of.machine,
        of.kernel,
        of.envoy,
        env!("CARGO_PKG_VERSION"),
        of.wrk,
        of.date,
        (of.least_busy * 100.0).floor(),
    )
}

/// One line of the table of targets.
fn line(row: &Row) -> String {
    let target = |target: Option<f64>| target.map_or_else(String::new, |it| format!("< {it:.2}"));
    let (must, goal) = (target(row.comparison.must), target(row.comparison.goal));
    let Row { comparison, base, ours, ratio } = row;
    format!(
        "| {} | {:.1} | {:.1} | {} | {must} | {goal} | {} |\n",
        comparison.title,
        base.value,
        ours.value,
        self::ratio(*ratio),
        row.verdict()
    )
}

/// Microseconds and their interval.
pub fn figures(Estimate { value, low, high }: Estimate) -> String {
    format!("{value:.1} [{low:.1}, {high:.1}]")
}

/// A ratio and its interval.
pub fn ratio(Estimate { value, low, high }: Estimate) -> String {
    format!("{value:.3} [{low:.3}, {high:.3}]")
}

/// The same, where the overhead of next to nothing is no measure of another.
pub fn ratio_over_noise(row: &Row) -> String {
    if row.base.low > 0.0 { ratio(row.ratio) } else { "–".to_owned() }
}

fn size_line(bytes: u64) -> String {
    // A module of more than 4 GiB is beyond any target.
    let size = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1024.0;
    let (must, goal) = (f64::from(MODULE_SIZE.0), f64::from(MODULE_SIZE.1));
    let verdict =
        result::verdict(size, Some(must), Some(goal), |excess| format!("{excess:.0} KiB"));
    format!(
        "| size of `jwt_rbac.wasm` | | | {size:.0} KiB | ≤ {must:.0} KiB | ≤ {goal:.0} KiB | {verdict} |\n"
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::suite::Comparison;
    use super::*;

    /// A row for the tests of what is drawn and written.
    pub fn row() -> Row {
        Row {
            comparison: Comparison {
                title: "token seen before".to_owned(),
                base_name: "native",
                plain: 0,
                base: 1,
                ours: 2,
                must: Some(0.2),
                goal: Some(0.1),
                bound: None,
            },
            base: Estimate { value: 81.3, low: 80.0, high: 82.6 },
            ours: Estimate { value: 8.9, low: 8.5, high: 9.3 },
            ratio: Estimate { value: 0.1095, low: 0.104, high: 0.1153 },
        }
    }

    /// A run for the tests of what is written.
    pub fn of_a_run() -> Circumstances {
        Circumstances {
            machine: "AMD EPYC, 2 CPUs".to_owned(),
            kernel: "Linux 6.1.0".to_owned(),
            envoy: "1.40.0".to_owned(),
            wrk: "4.1.0".to_owned(),
            module_size: 800 * 1024,
            date: "2026-01-31".to_owned(),
            rounds: 7,
            seconds: 5,
            least_busy: 0.987,
            token_sizes: [900, 700],
        }
    }

    #[test]
    fn a_line_has_figures_targets_and_the_verdict() {
        let expected = "| token seen before | 81.3 | 8.9 | 0.110 [0.104, 0.115] | < 0.20 | < 0.10 \
                        | must holds, goal **fails** by 0.015 |\n";
        assert_eq!(line(&row()), expected);
    }

    #[test]
    fn the_page_says_where_and_when() {
        let page = page(&[row()], 30.04, &of_a_run());
        for text in [
            "AMD EPYC, 2 CPUs, Linux 6.1.0; Envoy 1.40.0",
            "2026-01-31. Envoy had its CPU for at least 98 %",
            "7 rounds of 5 seconds",
            "| size of `jwt_rbac.wasm` | | | 800 KiB | ≤ 1024 KiB | ≤ 700 KiB | must holds, goal **fails** by 100 KiB |",
            "plain listener costs 30.0 µs",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
    }
}
