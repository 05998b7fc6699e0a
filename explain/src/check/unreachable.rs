//! Paths that no request can have: where `/a` and `/a/{x}/{**}` have routes, nothing is left for `/a/{**}`.

use std::collections::HashMap;

use jwt_rbac::authz::template::Part;

use super::route_paths::{MAX_FINDINGS, RoutePath};
use super::{Context, Finding, Severity};
use crate::source::Node;

/// The paths of one host, by their parts and whether they end in a rest.
type Paths<'p> = HashMap<(Vec<Part>, bool), &'p RoutePath<'p>>;

/// The warnings, each at a path with a rest that others take all of. Methods do not matter: the path is
/// chosen before the method.
pub(super) fn all(context: &Context<'_>, config: &Node, paths: &[RoutePath<'_>]) -> Vec<Finding> {
    let mut by_host: HashMap<&str, Paths<'_>> = HashMap::new();
    for path in paths {
        for host in &path.hosts {
            let key = (path.shape(), path.template.rest);
            by_host.entry(host).or_default().entry(key).or_insert(path);
        }
    }
    let mut findings = Vec::new();
    for path in paths.iter().filter(|path| path.template.rest) {
        let takers = path.hosts.iter().map(|host| takers(&by_host[host], path.shape()));
        // One host on which something is left is enough.
        let Some(takers) = takers.collect::<Option<Vec<_>>>() else { continue };
        let Some(takers) = takers.into_iter().next() else { continue };
        if findings.len() == MAX_FINDINGS {
            break;
        }
        let names: Vec<_> = takers.iter().map(|taker| format!("`{}`", taker.text)).collect();
        let message = format!(
            "no request has the path `{}`: {} are more specific and take all of it",
            path.text,
            names.join(" and ")
        );
        let span = |path: &RoutePath<'_>| config.find(&path.place()).span(context.text);
        let finding = Finding::new(
            Severity::Warning,
            "unreachable-path",
            path.place().to_string(),
            span(path),
            message,
        );
        let finding = finding.help("take it out, or take out what is more specific");
        let other = takers.last().map(|taker| (span(taker), "takes the rest".to_owned()));
        findings.push(Finding { other, ..finding });
    }
    findings
}

/// The paths that together take everything below these parts; `None` where they leave something.
fn takers<'p>(paths: &Paths<'p>, mut parts: Vec<Part>) -> Option<Vec<&'p RoutePath<'p>>> {
    let mut takers = Vec::new();
    loop {
        // The end comes before an empty rest, and a variable takes any segment.
        takers.push(*paths.get(&(parts.clone(), false))?);
        parts.push(Part::Variable(None));
        let key = (parts, true);
        if let Some(rest) = paths.get(&key) {
            takers.push(rest);
            return Some(takers);
        }
        parts = key.0;
    }
}

#[cfg(test)]
mod tests {
    use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
    use serde_json::json;

    use super::*;
    use crate::check::{Surroundings, route_paths};
    use crate::source;

    const PATHS: [&str; 14] = [
        "/",
        "/a",
        "/{x}",
        "/a/a",
        "/a/{x}",
        "/{x}/a",
        "/{x}/{y}",
        "/{**}",
        "/a/{**}",
        "/{x}/{**}",
        "/a/a/{**}",
        "/a/{x}/{**}",
        "/{x}/a/{**}",
        "/{x}/{y}/{**}",
    ];

    /// Every path of up to four segments `a` or `b`: one of `b` only a variable takes.
    fn requests() -> Vec<String> {
        let mut all = vec![String::new()];
        for _ in 0..4 {
            let longer = all.iter().flat_map(|path| ["a", "b"].map(|it| format!("{path}/{it}")));
            all = all.iter().cloned().chain(longer).collect();
        }
        all.iter().map(|path| if path.is_empty() { "/".to_owned() } else { path.clone() }).collect()
    }

    #[test]
    fn what_is_told_is_what_the_table_never_finds() {
        let requests = requests();
        let mut told = 0;
        // A multiplier that is prime to the count of subsets visits many different ones.
        for subset in (1..400_u32).map(|number| number * 6_203 % (1 << PATHS.len())) {
            let chosen = PATHS.iter().enumerate().filter(|(bit, _)| subset >> bit & 1 == 1);
            let routes: Vec<_> =
                chosen.map(|(_, path)| json!({"paths": [path], "access": "PUBLIC"})).collect();
            if routes.is_empty() {
                continue;
            }
            let json = json!({"routes": routes});
            let text = json.to_string();
            let (document, _) =
                jwt_rbac_config::compile(text.as_bytes(), &mut RustCrypto).expect("a document");
            let table = document.routes.expect("a table");
            let mut found: Vec<usize> = Vec::new();
            for request in &requests {
                let number = route_paths::ask(&table, "GET", "*", request, |it| {
                    let route = it.ok().flatten()?.route;
                    table.routes().iter().position(|known| std::ptr::eq(known, route))
                });
                found.extend(number.flatten());
            }
            let parsed = source::parse(&text);
            let surroundings = Surroundings::default();
            let context = Context { text: &text, surroundings: &surroundings };
            let paths = route_paths::all(&json);
            let findings = all(&context, &parsed.documents[0], &paths);
            let places: Vec<_> = findings.iter().map(|it| it.place.as_str()).collect();
            let never = (0..paths.len()).filter(|number| !found.contains(number));
            let never: Vec<_> = never.map(|it| format!("routes[{it}].paths[0]")).collect();
            assert_eq!(places, never, "{text}");
            told += never.len();
        }
        assert!(told > 50, "{told} paths");
    }
}
