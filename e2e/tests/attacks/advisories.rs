//! The advisories of the field, and the tests that hold each: rows of this suite by their source, or a
//! test elsewhere.

use std::fs;

use jwt_rbac_e2e::artifacts;

/// Advisories that rows of this suite name as their source.
const HERE: [&str; 30] = [
    "CVE-2019-9900",
    "CVE-2019-9901",
    "CVE-2019-12995",
    "CVE-2020-8595",
    "CVE-2020-25017",
    "CVE-2021-21378",
    "CVE-2021-31920",
    "CVE-2021-29492",
    "CVE-2021-39156",
    "CVE-2021-32779",
    "CVE-2021-39155",
    "CVE-2021-32777",
    "CVE-2022-29226",
    "CVE-2023-27487",
    "CVE-2023-27488",
    "CVE-2023-27493",
    "CVE-2023-35944",
    "CVE-2024-23323",
    "CVE-2024-23324",
    "CVE-2024-45806",
    "CVE-2025-64527",
    "CVE-2026-39350",
    "CVE-2026-47774",
    "CVE-2026-48042",
    "CVE-2026-26205",
    "CVE-2015-9235",
    "CVE-2018-0114",
    "CVE-2022-21449",
    "CVE-2006-4339",
    "CVE-2025-30204",
];

/// Advisories about something that is not a request of a client: the file and the test.
const ELSEWHERE: [(&str, &str, &str); 4] = [
    ("CVE-2022-21679", "config/src/tests.rs", "every_faulty_entry_is_named_at_once"),
    (
        "CVE-2021-43824",
        "e2e/tests/configuration.rs",
        "five_faults_are_named_while_the_document_before_goes_on",
    ),
    (
        "CVE-2026-31837",
        "e2e/tests/configuration.rs",
        "the_manifests_are_refused_for_their_placeholder",
    ),
    ("GHSA-fgw5-hp8f-xfhc", "e2e/tests/attacks/algorithms.rs", "embedded_keys"),
];

#[test]
fn every_advisory_has_its_attack() {
    let attacks = crate::all();
    for id in HERE {
        let held = attacks.iter().any(|attack| attack.source.contains(id));
        assert!(held, "no attack has the source {id}");
    }
    for (id, file, test) in ELSEWHERE {
        let text = fs::read_to_string(artifacts::root().join(file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "{id}: {file} has no {test}");
    }
}
