//! `docs/costs.svg`: for each kind of request a bar for the floor, one for ours and one for the
//! native pair; the first two in the parts that they are made of.

use super::costs::{Case, Part};
use super::plot::{bar, picture, text};
use super::round::Results;

/// Where the bars begin.
const LEFT: f64 = 40.0;
/// The length of the longest bar.
const LONGEST: f64 = 540.0;
const TOP: f64 = 100.0;
const CASE_HEIGHT: f64 = 84.0;
const BAR_HEIGHT: f64 = 14.0;
const BAR_PITCH: f64 = 17.0;

/// Colours that people with colour blindness can tell apart (Okabe and Ito).
const STYLE: &str = "\
.entry{fill:#56b4e9}.headers{fill:#0072b2}.time{fill:#cc79a7}.removal{fill:#009e73}\
.signature{fill:#e69f00}.reply{fill:#b8a900}.code{fill:#d55e00}";

impl Part {
    fn class(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Headers => "headers",
            Self::Time => "time",
            Self::Removal => "removal",
            Self::Signature => "signature",
            Self::Reply => "reply",
            Self::Ours => "code",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Entry => "entering the VM",
            Self::Headers => "headers",
            Self::Time => "time",
            Self::Removal => "removing the token",
            Self::Signature => "signature in Envoy",
            Self::Reply => "answering a denial",
            Self::Ours => "our code",
        }
    }
}

/// The plot of these requests.
pub fn svg(cases: &[Case], results: &Results) -> String {
    let totals = cases.iter().flat_map(|case| {
        [case.ours(results), case.native(results), case.floor(results)].map(|it| it.value)
    });
    let scale = LONGEST / totals.fold(1.0, f64::max);
    let mut content = legend();
    let mut y = TOP;
    for case in cases {
        content += &bars(case, results, scale, y);
        y += CASE_HEIGHT;
    }
    picture("CPU time that a request costs more than behind a plain Envoy", STYLE, y, &content)
}

fn legend() -> String {
    let entries = Part::ALL.map(|part| (part.class(), part.label()));
    let entries = entries.into_iter().chain([("base", "native pair")]);
    let mut legend = String::new();
    let (mut x, mut y) = (20.0, 42.0);
    for (place, (class, label)) in entries.enumerate() {
        if place == 4 {
            (x, y) = (20.0, 64.0);
        }
        legend += &bar(class, x, y, 16.0, 11.0);
        legend += &text(x + 22.0, y + 10.0, "small", label);
        x += 170.0;
    }
    legend
}

fn bars(case: &Case, results: &Results, scale: f64, y: f64) -> String {
    let mut svg = text(20.0, y + 4.0, "", case.title);
    let parts = case.parts(results);
    let (_, floor) = parts.split_last().expect("a request has parts");
    let native = case.native(results).value;
    for (place, (name, parts, total)) in [
        ("floor", floor, case.floor(results).value),
        ("jwt-rbac", &parts, case.ours(results).value),
        ("native pair", &[], native),
    ]
    .into_iter()
    .enumerate()
    {
        let y = [0.0, BAR_PITCH, 2.0 * BAR_PITCH][place] + y + 12.0;
        let mut x = LEFT;
        for (part, cost) in parts {
            // Noise can make the cost of a part negative. It is drawn without width.
            let width = cost.max(0.0) * scale;
            svg += &bar(part.class(), x, y, width, BAR_HEIGHT);
            x += width;
        }
        if parts.is_empty() {
            let width = total.max(0.0) * scale;
            svg += &bar("base", x, y, width, BAR_HEIGHT);
            x += width;
        }
        svg += &text(x + 8.0, y + 11.5, "small", &format!("{total:.1} µs, {name}"));
    }
    svg
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::costs::Costs;
    use super::*;

    #[test]
    fn bars_are_to_scale() {
        let costs = Costs::new(Path::new("floor.wasm"));
        // The plain listener, and each one after it a microsecond more.
        let mut cost = 29.0;
        let of = costs.suite.measured.iter().map(|_| {
            cost += 1.0;
            vec![cost; 2]
        });
        let results = Results { costs: of.collect(), least_busy: 1.0 };
        let svg = svg(&costs.cases, &results);
        let [seen, ..] = costs.cases.as_slice() else { panic!("there are cases") };
        let longest =
            costs.cases.iter().map(|case| case.native(&results).value).fold(0.0, f64::max);
        let width = seen.native(&results).value / longest * LONGEST;
        let native = format!("class=\"base\" x=\"40.0\" y=\"146.0\" width=\"{width:.1}\"");
        assert!(svg.contains(&native), "{native}\n{svg}");
        assert!(svg.contains(&format!("{:.1} µs, floor", seen.floor(&results).value)));
        assert_eq!(svg.matches(".base{").count(), 2, "bars have the colours of both grounds");
    }
}
