//! The results of comparisons: the overheads, their ratio, and whether the targets hold.

use super::round::Results;
use super::statistics::{self, Estimate};
use super::suite::{Comparison, Suite};

/// A comparison with its figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is compared, and the targets.
    pub comparison: Comparison,
    /// The overhead of what counts as 1, in microseconds of CPU time for each request.
    pub base: Estimate,
    /// Our overhead, likewise.
    pub ours: Estimate,
    /// Our overhead divided by the other.
    pub ratio: Estimate,
}

/// Every comparison of a suite.
pub fn rows(suite: &Suite, results: &Results) -> Vec<Row> {
    let row = |comparison: &Comparison| {
        let [plain, base, ours] = [comparison.plain, comparison.base, comparison.ours]
            .map(|target| &results.costs[target]);
        let overheads = |costs: &[f64]| statistics::differences(plain, costs);
        Row {
            comparison: comparison.clone(),
            base: statistics::difference(plain, base),
            ours: statistics::difference(plain, ours),
            ratio: statistics::ratio(&overheads(ours), &overheads(base)),
        }
    };
    suite.comparisons.iter().map(row).collect()
}

/// The mean of the costs without a filter, over the plain listeners that were compared with.
pub fn plain_cost(suite: &Suite, results: &Results) -> f64 {
    let mut plain: Vec<usize> = suite.comparisons.iter().map(|it| it.plain).collect();
    plain.sort_unstable();
    plain.dedup();
    let costs = plain.iter().flat_map(|&target| results.costs[target].iter().copied());
    statistics::mean(&costs.collect::<Vec<f64>>())
}

impl Row {
    /// Whether the targets hold; empty where there are none.
    pub fn verdict(&self) -> String {
        let Comparison { must, goal, .. } = self.comparison;
        verdict(self.ratio.high, must, goal, |excess| format!("{excess:.3}"))
    }
}

/// Whether a figure is below its targets. Where it is not, `show` formats by how much.
pub fn verdict(
    figure: f64,
    must: Option<f64>,
    goal: Option<f64>,
    show: impl Fn(f64) -> String,
) -> String {
    let of = |word: &str, target: Option<f64>| {
        let target = target?;
        let excess = figure - target;
        Some(if excess < 0.0 {
            format!("{word} holds")
        } else {
            format!("{word} **fails** by {}", show(excess))
        })
    };
    [of("must", must), of("goal", goal)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_holds_when_the_figure_is_below() {
        let said =
            |figure, must, goal| verdict(figure, must, goal, |excess| format!("{excess:.2}"));
        assert_eq!(said(0.09, Some(0.2), Some(0.1)), "must holds, goal holds");
        assert_eq!(said(0.15, Some(0.2), Some(0.1)), "must holds, goal **fails** by 0.05");
        assert_eq!(said(0.2, Some(0.2), None), "must **fails** by 0.00");
        assert_eq!(said(1.0, None, None), "");
    }

    #[test]
    fn overheads_are_over_the_plain_listener_of_the_same_round() {
        let comparison = Comparison {
            title: "seen".to_owned(),
            base_name: "native",
            plain: 0,
            base: 1,
            ours: 2,
            must: Some(0.2),
            goal: None,
            bound: None,
        };
        let suite = Suite { measured: Vec::new(), comparisons: vec![comparison] };
        let costs = vec![vec![30.0, 40.0], vec![110.0, 120.0], vec![38.0, 48.0]];
        let results = Results { costs, least_busy: 1.0 };
        let rows = rows(&suite, &results);
        assert!(
            (rows[0].base.value - 80.0).abs() < 1e-9 && (rows[0].ours.value - 8.0).abs() < 1e-9
        );
        assert_eq!(rows[0].verdict(), "must holds");
        assert!((plain_cost(&suite, &results) - 35.0).abs() < 1e-9);
    }
}
