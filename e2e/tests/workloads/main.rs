//! Every row of `docs/workloads.md`: what a client sends so that a workload sees another target or
//! token than the filter judged, and what the filter does with it.
//!
//! A row is its own test. The first column holds what is sent, as it is: `name: value` for a header,
//! `?…` for a parameter of the query, `body: …` for a form, a path, or a method and a path. The third
//! says what must come of it.

mod places;
mod probe;

use jwt_rbac::forward::OVERRIDES;
use jwt_rbac_e2e::other_names::{self, PAGE, RULES, Row, Rule, Sent, TOKEN};

use places::{HOSTS, IGNORED, ITEM, ITEM_OF_ADMIN, NO_ROUTES, PUBLIC, Place, TRIED};
use probe::{Outcome, outcome};

#[test]
fn the_filter_does_what_the_page_says() {
    let envoy = places::start();
    let mut failures = Vec::new();
    for Row { sent, rule } in other_names::rows() {
        for sent in sent.iter().flat_map(|sent| spellings(sent, rule)) {
            let wrong: Vec<_> = outcomes(rule, &sent)
                .into_iter()
                .map(|(place, wanted)| (place, wanted, outcome(&envoy, place, &sent)))
                .filter(|(_, wanted, got)| got != wanted)
                .map(|(place, wanted, got)| format!("\n    {place}: {got:?}, not {wanted:?}"))
                .collect();
            if !wrong.is_empty() {
                failures.push(format!("{sent:?} {}", wrong.concat()).replace(TOKEN, "{token}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {PAGE}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_page_names_every_header_that_overrides_the_target() {
    let rows = other_names::rows();
    let rows = rows.iter().filter(|row| row.rule == Rule::RemovedWhereRoutes);
    let mut named: Vec<_> = rows
        .flat_map(|row| &row.sent)
        .map(|sent| match sent {
            Sent::Header(name, _) => name.replace('_', "-"),
            other => panic!("{other:?} is no header"),
        })
        .collect();
    named.sort();
    let mut removed = OVERRIDES.to_vec();
    removed.sort_unstable();
    assert_eq!(named, removed, "{PAGE} against forward::OVERRIDES");
}

#[test]
fn every_word_for_what_the_filter_does_has_a_row() {
    let rows = other_names::rows();
    for (word, rule) in RULES {
        assert!(rows.iter().any(|row| row.rule == rule), "no row is {word}");
    }
}

/// The places where a rule can be seen, and what it means there.
fn outcomes(rule: Rule, sent: &Sent) -> Vec<(Place, Outcome)> {
    use Outcome::{Passed, Refused, Removed};
    let all = |places: &[Place], outcome: &Outcome| -> Vec<_> {
        places.iter().map(|place| (*place, outcome.clone())).collect()
    };
    match rule {
        Rule::Removed => all(&[ITEM, PUBLIC, IGNORED, NO_ROUTES, TRIED], &Removed),
        Rule::RemovedWhereRoutes => {
            let removed = all(&[ITEM, PUBLIC, IGNORED, TRIED], &Removed);
            [removed, all(&[NO_ROUTES], &Passed)].concat()
        }
        Rule::RemovedAsToken => {
            let removed = all(&[ITEM, PUBLIC, NO_ROUTES, TRIED], &Removed);
            [removed, all(&[IGNORED], &Passed)].concat()
        }
        Rule::RemovedFromConnection => all(&[ITEM, NO_ROUTES, TRIED], &Removed),
        Rule::RemovedByEnvoy => all(&[ITEM, NO_ROUTES], &Removed),
        Rule::Refused if is_header(sent, "host") => all(&[HOSTS], &Refused),
        Rule::Refused => all(&[ITEM], &Refused),
        Rule::JudgedAsAdmin => [all(&[ITEM], &Refused), all(&[ITEM_OF_ADMIN], &Passed)].concat(),
        Rule::PassedOn => all(&[ITEM, NO_ROUTES], &Passed),
    }
}

/// The spellings in which it must be removed. Those of cookies stand in the page.
fn spellings(sent: &Sent, rule: Rule) -> Vec<Sent> {
    let removed = [Rule::Removed, Rule::RemovedWhereRoutes, Rule::RemovedAsToken];
    match sent {
        Sent::Header(name, value) if removed.contains(&rule) && name != "cookie" => {
            let mut names = vec![name.clone(), name.replace('-', "_"), name.to_ascii_uppercase()];
            names.dedup();
            names.into_iter().map(|name| Sent::Header(name, value.clone())).collect()
        }
        // So with an output header in another case, and with the headers that tokens are looked for in.
        Sent::Header(name, value) if rule == Rule::RemovedFromConnection => {
            ["x-sub", "X-Sub", "x-jwt", "authorization"]
                .map(|named| Sent::Header(name.clone(), value.replace("x-sub", named)))
                .into()
        }
        _ => vec![sent.clone()],
    }
}

fn is_header(sent: &Sent, name: &str) -> bool {
    matches!(sent, Sent::Header(found, _) if found == name)
}
