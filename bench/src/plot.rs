//! `docs/benchmark.svg`: for each comparison a bar for what counts as 1, a bar for ours beside it,
//! and marks for the targets of ours.

use std::fmt::Write as _;

use super::result::Row;

const WIDTH: f64 = 760.0;
/// Where the bars begin.
const LEFT: f64 = 40.0;
/// The length of the bar that counts as 1.
const UNIT: f64 = 420.0;
/// The longest ratio that is drawn. Longer bars are cut, so that their labels fit.
const LONGEST: f64 = 1.35;
const TOP: f64 = 76.0;
const ROW_HEIGHT: f64 = 66.0;
const BAR_HEIGHT: f64 = 14.0;

/// The plot has a background of its own, so that it can be read on a page of any colour.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.small{font-size:12px;fill:#59636e}\
.ground{fill:#fff;stroke:#d1d9e0}.base{fill:#b6bfc9}.span,.must,.goal{stroke-width:2;fill:none}\
.span{stroke:#0a2a5e}.must{stroke:#cf222e}.goal{stroke:#1a7f37;stroke-dasharray:3 2}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.small{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}\
.base{fill:#656c76}.span{stroke:#cae8ff}.must{stroke:#ff7b72}.goal{stroke:#56d364}}";

/// The plot of these comparisons.
pub fn svg(rows: &[Row]) -> String {
    let mut content = legend();
    let mut y = TOP;
    for row in rows {
        content += &bars(row, y);
        y += ROW_HEIGHT;
    }
    picture(
        "CPU time that a request costs more than behind a plain Envoy",
        ".ours{fill:#1f6feb}@media(prefers-color-scheme:dark){.ours{fill:#4493f8}}",
        y,
        &content,
    )
}

/// A picture with this title and content. `style` is added to the common style, and `end` is where
/// the content ends.
pub(super) fn picture(title: &str, style: &str, end: f64, content: &str) -> String {
    let height = end + 8.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\">\n<title>{title}</title>\n<style>{STYLE}{style}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n{}{content}</svg>\n",
        WIDTH - 1.0,
        height - 1.0,
        text(20.0, 28.0, "title", title),
    )
}

fn legend() -> String {
    let mut legend = String::new();
    let mut entry = |x: f64, mark: String, label: &str| {
        legend += &mark;
        legend += &text(x + 22.0, 52.0, "small", label);
    };
    entry(20.0, bar("base", 20.0, 42.0, 16.0, 11.0), "native pair = 1");
    entry(150.0, bar("ours", 150.0, 42.0, 16.0, 11.0), "jwt-rbac");
    entry(240.0, span(240.0, 256.0, 47.5), "95 % interval");
    entry(360.0, mark("must", 368.0, 40.0), "must end before");
    entry(500.0, mark("goal", 508.0, 40.0), "goal");
    legend
}

fn bars(row: &Row, y: f64) -> String {
    let at = |ratio: f64| LEFT + UNIT * ratio.clamp(0.0, LONGEST);
    let end = |label_at: f64, label: &str, y: f64| text(label_at + 8.0, y + 11.5, "small", label);
    let (base_y, ours_y) = (y + 12.0, y + 12.0 + BAR_HEIGHT + 3.0);
    let mut svg = text(20.0, y + 4.0, "", &row.comparison.title);
    svg += &bar("base", LEFT, base_y, UNIT, BAR_HEIGHT);
    let base = format!("{:.1} µs, {}", row.base.value, row.comparison.base_name);
    svg += &end(at(1.0), &base, base_y);
    svg += &bar("ours", LEFT, ours_y, at(row.ratio.value) - LEFT, BAR_HEIGHT);
    svg += &span(at(row.ratio.low), at(row.ratio.high), ours_y + BAR_HEIGHT / 2.0);
    let marks = [("must", row.comparison.must), ("goal", row.comparison.goal)];
    let mut label_at = at(row.ratio.high);
    for (class, target) in marks {
        let Some(x) = target.map(at) else { continue };
        svg += &mark(class, x, ours_y - 1.0);
        // The label must not cover a mark.
        label_at = label_at.max(x);
    }
    svg += &end(label_at, &format!("{:.1} µs = {:.3}", row.ours.value, row.ratio.value), ours_y);
    svg
}

pub(super) fn bar(class: &str, x: f64, y: f64, width: f64, height: f64) -> String {
    format!(
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\n"
    )
}

fn span(from: f64, to: f64, y: f64) -> String {
    format!(
        "<path class=\"span\" d=\"M{from:.1} {y:.1}H{to:.1}M{from:.1} {0:.1}v6M{to:.1} {0:.1}v6\"/>\n",
        y - 3.0
    )
}

fn mark(class: &str, x: f64, y: f64) -> String {
    format!("<path class=\"{class}\" d=\"M{x:.1} {y:.1}v16\"/>\n")
}

pub(super) fn text(x: f64, y: f64, class: &str, content: &str) -> String {
    let mut text = format!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">");
    for letter in content.chars() {
        let _ = match letter {
            '<' => write!(text, "&lt;"),
            '&' => write!(text, "&amp;"),
            _ => write!(text, "{letter}"),
        };
    }
    text + "</text>\n"
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::row;
    use super::*;

    #[test]
    fn bars_and_marks_are_to_scale() {
        let svg = svg(&[row()]);
        let ours = "class=\"ours\" x=\"40.0\" y=\"105.0\" width=\"46.0\"";
        for part in [ours, "class=\"must\" d=\"M124.0 ", "class=\"goal\" d=\"M82.0 "] {
            assert!(svg.contains(part), "{part}\n{svg}");
        }
        assert!(svg.contains("8.9 µs = 0.110") && svg.contains("81.3 µs, native"));
    }

    #[test]
    fn a_ratio_below_zero_is_drawn_as_nothing() {
        let mut below = row();
        below.ratio.value = -0.1;
        below.ratio.low = -0.2;
        assert!(svg(&[below]).contains("class=\"ours\" x=\"40.0\" y=\"105.0\" width=\"0.0\""));
    }

    #[test]
    fn text_is_escaped() {
        assert!(text(0.0, 0.0, "", "a < b & c").contains(">a &lt; b &amp; c<"));
    }
}
