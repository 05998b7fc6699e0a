//! The matrix as one HTML page that needs nothing else.

use jwt_rbac_explain::matrix::Matrix;

use super::draw::cell;

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>Who may do what</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 2em; color: #1a1a1a; background: #fff }
table { border-collapse: collapse }
caption { font-size: 1.25em; font-weight: 600; text-align: left; padding-bottom: .5em }
th, td { border: 1px solid #c8c8c8; padding: .3em .7em; text-align: left; vertical-align: top }
thead th { background: #f0f0f0; position: sticky; top: 0 }
.allow { background: #e3f4e3 } .deny { background: #fae3e3 } .would_deny { background: #fdf3d6 }
code { font-size: .95em }
@media (prefers-color-scheme: dark) {
body { color: #eee; background: #181818 } th, td { border-color: #444 } thead th { background: #2a2a2a }
.allow { background: #1d3a1d } .deny { background: #431e1e } .would_deny { background: #453a15 }
}
</style>
";

/// The page.
pub fn matrix(matrix: &Matrix) -> String {
    let columns =
        matrix.callers.iter().map(|caller| format!("<th scope=\"col\">{}", escaped(caller)));
    let head = format!(
        "<table>\n<caption>Who may do what</caption>\n<thead><tr><th scope=\"col\">route<th scope=\"col\">request{}</thead>\n<tbody>\n",
        columns.collect::<Vec<_>>().concat()
    );
    let rows = matrix.rows.iter().map(|row| {
        let cells = row
            .cells
            .iter()
            .map(|it| format!("<td class=\"{}\">{}", it.decision, escaped(&cell(it))));
        let host =
            row.host.as_ref().map_or_else(String::new, |host| format!(" ({})", escaped(host)));
        format!(
            "<tr><th scope=\"row\">{}<td><code>{}</code>{host}{}\n",
            escaped(&row.route),
            escaped(&row.request),
            cells.collect::<Vec<_>>().concat()
        )
    });
    let rows: Vec<_> = rows.collect();
    format!("{HEAD}{head}{}</tbody>\n</table>\n</html>\n", rows.concat())
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use jwt_rbac_explain::matrix::{Cell, Matrix, Row};

    #[test]
    fn nothing_of_a_document_is_markup() {
        let row = Row {
            route: "<b>".to_owned(),
            host: None,
            request: "GET /\"&".to_owned(),
            cells: vec![Cell {
                decision: "allow",
                status: None,
                reason: None,
                target: String::new(),
            }],
        };
        let matrix = Matrix { callers: vec!["<script>".to_owned()], rows: vec![row] };
        let page = super::matrix(&matrix);
        assert!(page.contains("&lt;script&gt;") && page.contains("GET /&quot;&amp;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<b>"));
    }
}
