//! Path confusion: whatever a router or a workload may make of a path, it must not be the admin's
//! unless the filter has taken it for the admin's. Each path is tried under each of Istio's four
//! settings of `pathNormalization`, against a table in which all but `/admin` is open.

use std::collections::BTreeSet;

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_oracles::path::admin_reading;

use crate::attack::{Attack, Outcome};
use crate::documents::NORMALIZATIONS;

const DOTS: &str = "CVE-2019-9901, CVE-2021-31920: dot segments";
const SLASHES: &str = "CVE-2021-29492, CVE-2026-26205: slashes, escaped, doubled or backward";
const ENDS: &str = "CVE-2020-8595, CVE-2021-39156, CVE-2021-32779: a query or a fragment in a path";
const TEMPLATES: &str = "CVE-2024-23323, Istio's path templates: bytes that RFC 3986 forbids";

pub fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (source, paths) in
        [(DOTS, dots()), (SLASHES, slashes()), (ENDS, ends()), (TEMPLATES, odd())]
    {
        for path in paths {
            for listener in NORMALIZATIONS {
                let look = |seen: &Seen| match admin_reading(&seen.path) {
                    None => Ok(()),
                    Some(reading) => Err(format!("the workload got {}: {reading}", seen.path)),
                };
                let outcome = Outcome::Harmless(Box::new(look));
                let name = format!("{path:?} under {listener}");
                let attack = Attack::new(name, source, Request::get(&path), outcome);
                attacks.push(attack.on(listener));
            }
        }
    }
    attacks
}

fn dots() -> BTreeSet<String> {
    const PARENTS: [&str; 19] = [
        "..",
        ".",
        "%2e%2e",
        "%2E%2E",
        ".%2e",
        "%2e.",
        "%252e%252e",
        "..;",
        "..;x=y",
        "%2e%2e;",
        "..%3b",
        "..%00",
        "..%20",
        "..%09",
        "...",
        "%c0%ae%c0%ae",
        "\u{ff0e}\u{ff0e}",
        "..%ef%bc%8f",
        "..%5c",
    ];
    let mut paths = BTreeSet::new();
    for parent in PARENTS {
        for start in ["", "/public", "/public/x/y"] {
            paths.insert(format!("{start}/{parent}/admin"));
            paths.insert(format!("{start}/{parent}/admin/x"));
            paths.insert(format!("{start}/{parent}/{parent}/{parent}/admin"));
        }
        paths.insert(format!("/admin/{parent}"));
        paths.insert(format!("/admin/{parent}/"));
        paths.insert(format!("/admin/x/{parent}"));
        paths.insert(format!("/admin{parent}"));
    }
    paths
}

fn slashes() -> BTreeSet<String> {
    const SLASHES: [&str; 15] = [
        "//",
        "///",
        "/%2f",
        "%2f",
        "%2F",
        "\\",
        "%5c",
        "%5C",
        "/\\",
        "%252f",
        "%255c",
        "/%2f/",
        "%c0%af",
        "%ef%bc%8f",
        "/;/",
    ];
    let mut paths = BTreeSet::new();
    for slash in SLASHES {
        paths.insert(format!("{slash}admin"));
        paths.insert(format!("/{slash}admin"));
        paths.insert(format!("/admin{slash}"));
        paths.insert(format!("/admin{slash}x"));
        paths.insert(format!("{slash}evil.test/admin"));
        paths.insert(format!("/public{slash}..{slash}admin"));
        paths.insert(format!("/public/..{slash}admin"));
        paths.insert(format!("/public{slash}../admin"));
        paths.insert(format!("http:/{slash}evil.test/admin"));
    }
    paths
}

fn ends() -> BTreeSet<String> {
    const ENDS: [&str; 22] = [
        "?",
        "?x",
        "?x=/public",
        "#",
        "#x",
        "%3f",
        "%3F",
        "%23",
        ";",
        ";x",
        ";x=y",
        "%3b",
        "%20",
        "%09",
        "%0a",
        "%00",
        "%0d%0a",
        "&",
        "/?",
        "/;",
        "//?",
        "%",
    ];
    let mut paths = BTreeSet::new();
    for end in ENDS {
        paths.insert(format!("/admin{end}"));
        paths.insert(format!("/admin{end}/public"));
        paths.insert(format!("/admin{end}/../public"));
        paths.insert(format!("/public{end}/../admin"));
        paths.insert(format!("/public{end}/../../admin/x"));
        paths.insert(format!("{end}/admin"));
        paths.insert(format!("/{end}/admin"));
    }
    paths.insert("admin".to_owned());
    paths.insert("*".to_owned());
    paths.insert("http://evil.test/admin".to_owned());
    paths.insert("http://bookinfo.test//admin".to_owned());
    paths.insert("http://bookinfo.test\\admin".to_owned());
    paths
}

fn odd() -> BTreeSet<String> {
    const LETTERS: [&str; 20] = [
        "%61dmin",
        "%41dmin",
        "a%64min",
        "%61%64%6d%69%6e",
        "%2561dmin",
        "%u0061dmin",
        "admi%6e",
        "admin%",
        "admin%2",
        "admin%zz",
        "a|dmin",
        "\"admin\"",
        "<admin>",
        "{admin}",
        "`admin`",
        "^admin",
        "\u{ff41}dmin",
        "admin\u{e9}",
        "admin%c3%a9",
        "%ff",
    ];
    let mut paths = BTreeSet::new();
    for letters in LETTERS {
        paths.insert(format!("/{letters}"));
        paths.insert(format!("/{letters}/"));
        paths.insert(format!("/{letters}/x"));
        paths.insert(format!("/public/../{letters}"));
    }
    paths.insert("/a".repeat(5_000) + "/../admin");
    paths.insert("/..".repeat(1_000) + "/admin");
    paths.insert("/.".repeat(1_000) + "/admin");
    paths.insert("/%2e%2e".repeat(1_000) + "/admin");
    paths
}
