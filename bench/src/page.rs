//! `docs/benchmark.md`: what was measured, how, and the table of the targets.

use std::fmt::Write as _;

use super::callers::Callers;
use super::load::{self, Load};
use super::machine::Circumstances;
use super::result::Row;
use super::round::CONNECTIONS;
use super::statistics::Estimate;
use super::suite::SEEN;
use super::template;

/// The page with these figures.
pub fn page(rows: &[Row], loads: &[Load], plain_cost: f64, of: &Circumstances) -> String {
    let Circumstances { token_sizes: [rs256, es256], rounds, seconds, .. } = of;
    template::fill(
        include_str!("../pages/benchmark.md"),
        &[
            ("rounds", rounds.to_string()),
            ("seconds", seconds.to_string()),
            ("connections", CONNECTIONS.to_string()),
            ("size of RS256", rs256.to_string()),
            ("size of ES256", es256.to_string()),
            ("callers", Callers::RS256.count().to_string()),
            ("seen", SEEN.to_string()),
            ("circumstances", circumstances(of)),
            ("table: targets", targets(rows)),
            ("plain cost", format!("{plain_cost:.1}")),
            ("table: loading", load::table(loads, of.module_size)),
        ],
    )
}

/// Machine, versions and date.
pub fn circumstances(of: &Circumstances) -> String {
    template::fill(
        include_str!("../pages/circumstances.md"),
        &[
            ("machine", of.machine.clone()),
            ("kernel", of.kernel.clone()),
            ("envoy", of.envoy.clone()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("wrk", of.wrk.clone()),
            ("date", of.date.clone()),
            ("least busy", format!("{:.0}", (of.least_busy * 100.0).floor())),
        ],
    )
}

fn targets(rows: &[Row]) -> String {
    let mut table = String::from(
        "| case | native overhead, µs | ours, µs | ratio [95 % interval] | must | goal | verdict |\n\
         |---|---|---|---|---|---|---|\n",
    );
    table.extend(rows.iter().map(line));
    table
}

/// The table of two builds side by side.
pub fn beside(rows: &[Row]) -> String {
    let mut table =
        "| case | other build, µs | this build, µs | ratio [95 % interval] |\n|---|---|---|---|\n"
            .to_owned();
    for Row { comparison, base, ours, ratio } in rows {
        let (title, ratio) = (&comparison.title, self::ratio(*ratio));
        let _ = writeln!(table, "| {title} | {:.1} | {:.1} | {ratio} |", base.value, ours.value);
    }
    table
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

/// The same, or `–` where the other overhead is no more than noise and a ratio means nothing.
pub fn ratio_over_noise(row: &Row) -> String {
    if row.base.low > 0.0 { ratio(row.ratio) } else { "–".to_owned() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::suite::Comparison;
    use super::*;

    /// A comparison for the tests of pages and plots.
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

    /// The circumstances of a run for the tests of pages.
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
        let load = Load { plugins: 1, workers: 1, memory: 47.4, cpu: 0.8 };
        let page = page(&[row()], &[load], 30.04, &of_a_run());
        for text in [
            "AMD EPYC, 2 CPUs, Linux 6.1.0; Envoy 1.40.0",
            "2026-01-31. Envoy had its CPU for at least 98 %",
            "7 rounds of 5 seconds",
            "| size of `jwt_rbac.wasm` | 800 KiB | ≤ 800 KiB | ≤ 600 KiB |",
            "| memory over plain, 1 plugin and 1 worker | 47 MiB | ≤ 48 MiB |",
            "plain listener costs 30.0 µs",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
    }
}
