//! Reports as text.

use jwt_rbac_explain::matrix::{Cell, Matrix};
use jwt_rbac_explain::report::{Mark, Report, Step};
use jwt_rbac_explain::traffic::Summary;

use crate::style::{Style, padded};
use crate::usage::without_control_characters;

/// One report: the decision first, then the way to it.
pub fn report(report: &Report, is_colored: bool) -> String {
    let style = Style::new(is_colored);
    let mut lines = Vec::new();
    let (word, mark) = match report.decision {
        "allow" => ("allowed", Mark::Passed),
        "would_deny" => ("allowed by a dry run, and would be denied", Mark::Passed),
        _ => ("denied", Mark::Failed),
    };
    let status = report.status.map_or_else(String::new, |status| format!(", {status}"));
    let reason = report.reason.map_or_else(String::new, |reason| format!(" {reason}"));
    let decision = style.marked(mark, &style.bold(&format!("{word}{status}{reason}")));
    let request = format!("{} {} (host {})", report.method, report.target, report.host);
    lines.push(format!("{}: {decision}", without_control_characters(&request)));
    lines.push(String::new());
    lines.push(steps(&report.steps, style).trim_end().to_owned());
    if let Some(reply) = &report.reply {
        lines.push(String::new());
        lines.push(format!(
            "The client receives {} {}",
            reply.status,
            without_control_characters(&reply.body)
        ));
        for (name, value) in &reply.headers {
            lines.push(format!("  {name}: {}", without_control_characters(value)));
        }
    }
    if !report.remedies.is_empty() {
        lines.push(String::new());
        lines.push("What would change it:".to_owned());
        let remedies = report.remedies.iter();
        lines.extend(remedies.map(|it| format!("  - {}", without_control_characters(it))));
    }
    lines.join("\n") + "\n"
}

/// The steps of a decision, each with what was looked at.
pub fn steps(steps: &[Step], style: Style) -> String {
    let width = steps.iter().map(|step| step.name.len()).max().unwrap_or_default();
    let mut lines = Vec::new();
    for step in steps {
        let name = style.bold(&padded(step.name, width));
        let text = without_control_characters(&step.text);
        lines.push(format!("{} {name}  {text}", style.sign(step.mark)));
        for note in &step.notes {
            let text = without_control_characters(&note.text);
            lines.push(format!("  {}  {} {text}", " ".repeat(width), style.sign(note.mark)));
        }
    }
    lines.join("\n") + "\n"
}

/// A table of callers × routes.
pub fn matrix(matrix: &Matrix, is_colored: bool) -> String {
    let style = Style::new(is_colored);
    let request = |row: &jwt_rbac_explain::matrix::Row| {
        let host = row.host.as_ref().map_or_else(String::new, |host| format!(" ({host})"));
        without_control_characters(&format!("{}{host}", row.request))
    };
    let wide = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let route = wide(&mut matrix.rows.iter().map(|row| row.route.chars().count()).chain([5]));
    let first = wide(&mut matrix.rows.iter().map(|row| request(row).chars().count()).chain([7]));
    let columns = matrix.callers.iter().enumerate().map(|(index, caller)| {
        let cells = matrix.rows.iter().map(|row| cell(&row.cells[index]).chars().count());
        wide(&mut cells.chain([caller.chars().count()]))
    });
    let columns: Vec<usize> = columns.collect();
    let head = matrix.callers.iter().zip(&columns).map(|(caller, width)| padded(caller, *width));
    let head = [padded("route", route), padded("request", first)].into_iter().chain(head);
    let mut lines = vec![style.bold(head.collect::<Vec<_>>().join("  ").trim_end())];
    for row in &matrix.rows {
        let cells = row.cells.iter().zip(&columns).map(|(it, width)| {
            let mark = if it.decision == "allow" { Mark::Passed } else { Mark::Failed };
            let mark = if it.decision == "would_deny" { Mark::Skipped } else { mark };
            style.marked(mark, &padded(&cell(it), *width))
        });
        let start = [padded(&row.route, route), padded(&request(row), first)];
        let line = start.into_iter().chain(cells).collect::<Vec<_>>().join("  ");
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

/// What a cell of the table says.
pub fn cell(cell: &Cell) -> String {
    let status = cell.status.map(|status| status.to_string());
    match (cell.decision, status, cell.reason) {
        ("allow", ..) => "allow".to_owned(),
        ("would_deny", _, Some(reason)) => format!("dry run: {reason}"),
        (_, Some(status), Some(reason)) => format!("{status} {reason}"),
        (decision, ..) => decision.to_owned(),
    }
}

/// What would become of many requests.
pub fn summary(summary: &Summary, is_colored: bool) -> String {
    let style = Style::new(is_colored);
    let denied = summary.requests - summary.allowed;
    let mut lines = vec![format!(
        "{}: {}, {}",
        style.bold(&format!("{} requests", summary.requests)),
        style.marked(Mark::Passed, &format!("{} allowed", summary.allowed)),
        style.marked(Mark::Failed, &format!("{denied} denied")),
    )];
    for group in &summary.denied {
        let rule = group.rule.as_ref().map_or_else(String::new, |rule| format!(", route `{rule}`"));
        let what = format!("{} {}{rule}", group.status, group.reason);
        let samples = without_control_characters(&group.samples.join(", "));
        lines.push(format!("{:>8}  {}: {samples}", group.requests, style.bold(&what)));
    }
    if summary.skipped > 0 {
        lines.push(format!("{:>8}  skipped: no request with a method and a path", summary.skipped));
    }
    lines.join("\n") + "\n"
}
