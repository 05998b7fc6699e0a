//! `docs/dashboard.svg`: what the queries of the dashboard gave in a run, panel by panel.

use std::fmt::Write as _;

use super::Panel;
use super::prometheus::Series;

const COLUMNS: usize = 2;
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 190.0;
const MARGIN: f64 = 14.0;
/// The lines of a panel lie between these, below its title and above its legend.
const TOP: f64 = 34.0;
const BOTTOM: f64 = 130.0;
const LEFT: f64 = 58.0;
/// As many series as a legend has room for.
const MAX_LINES: usize = 8;
const COLORS: [&str; MAX_LINES] =
    ["#1f6feb", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#0a7f87", "#bf3989", "#57606a"];

/// The pictures of all panels. It has a background of its own, so that it can be read on a page of any
/// colour.
pub fn svg(panels: &[(Panel, Vec<(String, Series)>)], start: f64, end: f64) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let width = MARGIN + (WIDTH + MARGIN) * as_f64(COLUMNS);
    let height = MARGIN + (HEIGHT + MARGIN) * as_f64(rows);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>The dashboard over a run of the test</title>\n\
         <style>text{{font:11px system-ui,sans-serif;fill:#57606a}}.title{{font:600 13px system-ui,sans-serif;fill:#1f2328}}\
         .panel{{fill:#fff;stroke:#d1d9e0}}.axis{{fill:none;stroke:#d1d9e0}}polyline{{fill:none;stroke-width:1.5}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#f6f8fa\"/>\n"
    );
    for (number, (panel, lines)) in panels.iter().enumerate() {
        let x = MARGIN + (WIDTH + MARGIN) * as_f64(number % COLUMNS);
        let y = MARGIN + (HEIGHT + MARGIN) * as_f64(number / COLUMNS);
        let _ = writeln!(svg, "<g transform=\"translate({x},{y})\">");
        draw(&mut svg, panel, lines, (start, end));
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

fn draw(svg: &mut String, panel: &Panel, lines: &[(String, Series)], (start, end): (f64, f64)) {
    let values = lines.iter().flat_map(|(_, series)| &series.points).map(|(_, value)| *value);
    let most = values.fold(0.0, f64::max);
    let most = if most > 0.0 { most } else { 1.0 };
    let x = |time: f64| LEFT + (time - start) / (end - start) * (WIDTH - LEFT - 12.0);
    let y = |value: f64| BOTTOM - value / most * (BOTTOM - TOP);
    let _ = writeln!(
        svg,
        "<rect class=\"panel\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"4\"/>\n\
         <text class=\"title\" x=\"12\" y=\"21\">{}</text>\n\
         <path class=\"axis\" d=\"M{LEFT} {TOP}V{BOTTOM}H{}\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
         <text x=\"{}\" y=\"{BOTTOM}\" text-anchor=\"end\">0</text>",
        escaped(&panel.title),
        WIDTH - 12.0,
        LEFT - 5.0,
        TOP + 8.0,
        amount(most, &panel.unit),
        LEFT - 5.0,
    );
    for (number, (name, series)) in lines.iter().take(MAX_LINES).enumerate() {
        let color = COLORS[number];
        let points =
            series.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value)));
        let points: Vec<_> = points.collect();
        let (legend_x, legend_y) =
            (12.0 + 210.0 * as_f64(number % 2), 147.0 + 11.0 * as_f64(number / 2));
        let _ = writeln!(
            svg,
            "<polyline stroke=\"{color}\" points=\"{}\"/>\n\
             <text x=\"{legend_x}\" y=\"{legend_y}\" style=\"fill:{color}\">{}</text>",
            points.join(" "),
            escaped(name),
        );
    }
}

/// A value with its unit, in Grafana's words for units.
fn amount(value: f64, unit: &str) -> String {
    match unit {
        "percentunit" => format!("{:.0} %", value * 100.0),
        "reqps" | "ops" => format!("{value:.1}/s"),
        "s" => format!("{value:.0} s"),
        _ => format!("{value:.0}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[allow(clippy::cast_precision_loss, reason = "a handful of panels")]
fn as_f64(number: usize) -> f64 {
    number as f64
}
