//! Pages of the docs: what they show, and what in them is generated.

use std::env;
use std::fs;

use crate::artifacts;

/// A fenced block of a page: what stands behind the backticks, and its lines.
#[derive(Clone, Debug)]
pub struct Block {
    /// What stands behind the backticks.
    pub info: String,
    /// The lines between them.
    pub lines: Vec<String>,
}

/// The text of a page, by its path in the repository.
pub fn page(name: &str) -> String {
    let path = artifacts::root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(_) if is_inside => is_inside = false,
            Some(info) => {
                is_inside = true;
                blocks.push(Block { info: info.to_owned(), lines: Vec::new() });
            }
            None if is_inside => {
                blocks.last_mut().expect("an open block").lines.push(line.to_owned());
            }
            None => {}
        }
    }
    blocks
}

/// Compares a table of a page with what it should be, or writes it where `UPDATE_DOCS` is set.
pub fn check_table(page_name: &str, table: &str, head: &str, rows: impl Iterator<Item = String>) {
    let columns = head.split('|').count();
    let lines = [format!("| {head} |"), format!("|{}", "---|".repeat(columns))];
    let expected = lines.into_iter().chain(rows).collect::<Vec<_>>().join("\n") + "\n";
    let page = page(page_name);
    let start_mark = format!("<!-- table: {table} -->\n");
    let start = page.find(&start_mark).expect("the mark of the table") + start_mark.len();
    let end = start + page[start..].find("<!-- end -->").expect("the end of the table");
    check_file(page_name, &[&page[..start], &expected, &page[end..]].concat());
}

/// Compares a file with what it should be, or writes it where `UPDATE_DOCS` is set.
pub fn check_file(name: &str, expected: &str) {
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(artifacts::root().join(name), expected).expect("the file can be written");
    } else {
        assert!(page(name) == expected, "{name} is not what it should be: run `make docs`");
    }
}
