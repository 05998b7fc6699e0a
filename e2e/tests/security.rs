//! The promises of SECURITY.md: each names tests, and they exist.

use std::collections::BTreeMap;
use std::fs;

use jwt_rbac_e2e::artifacts;

#[test]
fn every_promise_names_tests_that_exist() {
    let text = read("SECURITY.md");
    let (_, table) = text.split_once("| promise | tests |\n|---|---|\n").expect("a table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let mut failures = Vec::new();
    let mut promises = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [promise, tests] = cells[..] else { panic!("expected two cells: {row}") };
        promises += 1;
        let named = named_tests(tests);
        if named.is_empty() {
            failures.push(format!("{promise}: no test"));
        }
        for (file, names) in named {
            let source = read(&file);
            for name in names {
                let is_test = source.contains(&format!("#[test]\nfn {name}()"))
                    || source.contains(&format!("#[test]\n    fn {name}("))
                    || source.contains(&format!("#[test]\n        fn {name}("));
                if !is_test {
                    failures.push(format!("{promise}: {file} has no test {name}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(promises > 20, "{promises} promises");
}

/// The tests of a cell by their file: `` `file`: `one`, `two` ``, several divided by `<br>`.
fn named_tests(cell: &str) -> BTreeMap<String, Vec<String>> {
    let parts = cell.split("<br>").filter_map(|part| part.split_once("`: "));
    parts
        .map(|(file, names)| {
            let names = names.split(", ").map(|name| name.trim_matches('`').to_owned());
            (file.trim_start_matches('`').to_owned(), names.collect())
        })
        .collect()
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(artifacts::root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}
