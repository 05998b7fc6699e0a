//! The advisories of the field, and the tests that hold each: rows of this suite by their source, or a
//! test elsewhere.

use std::fs;

use jwt_rbac_e2e::artifacts;

/// Advisories that rows of this suite name as their source.
const HERE: [&str; 35] = [
    "CVE-2019-9900",
    "CVE-2019-9901",
    "CVE-2019-12995",
    "CVE-2020-8595",
    "CVE-2020-16844",
    "CVE-2020-25017",
    "CVE-2021-21378",
    "CVE-2021-31920",
    "CVE-2021-29492",
    "CVE-2021-39156",
    "CVE-2021-32779",
    "CVE-2021-39155",
    "CVE-2021-32777",
    "CVE-2021-32779",
    "ISTIO-SECURITY-2021-004",
    "CVE-2022-29226",
    "CVE-2023-27487",
    "CVE-2023-27488",
    "CVE-2023-27493",
    "CVE-2023-35944",
    "CVE-2024-23323",
    "CVE-2024-23324",
    "CVE-2024-45806",
    "CVE-2025-64527",
    "CVE-2026-26308",
    "CVE-2026-39350",
    "CVE-2026-47774",
    "CVE-2026-48042",
    "CVE-2026-26205",
    "CVE-2015-9235",
    "CVE-2018-0114",
    "CVE-2022-21449",
    "CVE-2006-4339",
    "CVE-2025-30204",
    "CVE-2023-27491",
];

/// Advisories about something that is not a request of a client: the file and the test.
const ELSEWHERE: [(&str, &str, &str); 9] = [
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
    (
        "CVE-2024-45809",
        "e2e/tests/fetched_keys/first.rs",
        "a_client_that_goes_away_leaves_nothing_behind",
    ),
    (
        "CVE-2026-31837",
        "e2e/tests/fetched_keys/failures.rs",
        "the_last_good_keys_stay_whatever_the_server_answers",
    ),
    ("CVE-2026-47778", "src/authz/policies/peer.rs", "principals_follow_the_scheme"),
    ("istio#59992", "src/authz/policies/peer.rs", "namespaces_have_asterisks_anywhere"),
    ("istio note 53279", "e2e/tests/fence.rs", "what_has_not_passed_the_filter_is_denied"),
];

/// Traps that have no number: what goes wrong, and the test that holds it.
const TRAPS: [(&str, &str, &str); 16] = [
    (
        "headers of the filter on requests that it does not identify",
        "tests/decision.rs",
        "output_headers_of_clients_are_always_removed",
    ),
    ("a list of revoked tokens by their bytes", "tests/decision.rs", "revoked_tokens_are_refused"),
    (
        "a remembered token whose key is gone",
        "e2e/tests/fetched_keys/rotation.rs",
        "a_new_key_works_and_a_removed_one_stops_cached_tokens_included",
    ),
    ("times of every type and size", "e2e/tests/attacks/main.rs", "claims"),
    ("the algorithm that the token names", "e2e/tests/attacks/main.rs", "algorithms"),
    (
        "ECDSA and Ed25519 signatures at the edges",
        "tests/wycheproof.rs",
        "every_vector_has_its_verdict",
    ),
    ("RSA with a low exponent", "e2e/tests/attacks/main.rs", "signatures"),
    ("ids of keys", "e2e/tests/attacks/main.rs", "key_ids"),
    ("two tokens", "e2e/tests/attacks/main.rs", "places"),
    (
        "the scheme in the middle of a value",
        "e2e/tests/read_otherwise/credentials.rs",
        "the_scheme_anywhere_in_the_value_is_a_bad_credential",
    ),
    ("methods in lower case, and unknown ones", "e2e/tests/attacks/main.rs", "methods"),
    (
        "a principal without issuer or subject",
        "src/authz/policies/request_principal.rs",
        "the_last_slash_parts_issuer_and_subject",
    ),
    (
        "negated fields of what a request lacks",
        "src/authz/policies/tests.rs",
        "without_a_peer_only_negated_fields_hold",
    ),
    (
        "path templates and bytes that no path has",
        "e2e/tests/differential/main.rs",
        "policies_answer_as_the_native_pair",
    ),
    ("a trap of the VM", "e2e/tests/faults/traps.rs", "nobody_gets_in_when_the_vm_is_lost"),
    (
        "a first document that is refused",
        "e2e/tests/configuration.rs",
        "a_first_document_that_is_refused_opens_nothing",
    ),
];

#[test]
fn every_advisory_has_its_attack() {
    let attacks = crate::all();
    for id in HERE {
        let held = attacks.iter().any(|attack| attack.source.contains(id));
        assert!(held, "no attack has the source {id}");
    }
    for (id, file, test) in ELSEWHERE.into_iter().chain(TRAPS) {
        let text = fs::read_to_string(artifacts::root().join(file));
        let text = text.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "{id}: {file} has no {test}");
    }
}
