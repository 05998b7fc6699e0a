//! The verifier that runs outside of Envoy against the vectors of Wycheproof.

mod native;
mod vectors;

use vectors::{Expected, Vector};

/// How many vectors of a set verify, how many do not, and how many have a key that we do not take.
/// A release with other vectors, or a rule that turns away more keys than before, shows here.
const COUNTS: &[(&str, [usize; 3])] = &[
    ("Rsa2048Sha256", [9, 250, 0]),
    ("Rsa2048Sha384", [7, 251, 0]),
    ("Rsa2048Sha512", [8, 251, 0]),
    ("Rsa3072Sha256", [8, 251, 0]),
    ("Rsa3072Sha384", [7, 252, 0]),
    ("Rsa3072Sha512", [8, 252, 0]),
    ("Rsa4096Sha256", [7, 251, 0]),
    ("Rsa4096Sha384", [7, 252, 0]),
    ("Rsa4096Sha512", [7, 252, 0]),
    ("Rsa8192Sha256", [7, 251, 0]),
    ("Rsa8192Sha384", [7, 252, 0]),
    ("Rsa8192Sha512", [7, 252, 0]),
    ("RsaPss2048Sha256Mgf1SaltLen0", [1, 102, 0]),
    ("RsaPss2048Sha256Mgf1SaltLen32", [63, 45, 0]),
    ("RsaPss2048Sha256Mgf1Sha1_20", [0, 108, 0]),
    ("RsaPss2048Sha384Mgf1SaltLen48", [95, 46, 0]),
    ("RsaPss3072Sha256Mgf1SaltLen32", [63, 45, 0]),
    ("RsaPss4096Sha256Mgf1SaltLen32", [63, 45, 0]),
    ("RsaPss4096Sha384Mgf1SaltLen48", [95, 46, 0]),
    ("RsaPss4096Sha512Mgf1SaltLen32", [0, 177, 0]),
    ("RsaPss4096Sha512Mgf1SaltLen64", [132, 47, 0]),
    ("RsaPssmisc", [3, 87, 0]),
    ("EcdsaSecp256r1Sha256P1363", [173, 89, 0]),
    ("EcdsaSecp384r1Sha384P1363", [193, 87, 0]),
    ("EcdsaSecp521r1Sha512P1363", [231, 87, 0]),
    ("Ed25519", [88, 63, 0]),
    ("HmacSha256", [30, 138, 6]),
    ("HmacSha384", [30, 138, 6]),
    ("HmacSha512", [30, 138, 6]),
];

#[test]
fn every_vector_has_its_verdict() {
    let vectors = vectors::wycheproof::all();
    assert_eq!(counts(&vectors), COUNTS);
    native::check(&vectors);
}

fn counts(vectors: &[Vector]) -> Vec<(&str, [usize; 3])> {
    let sets = vectors.chunk_by(|one, next| one.set() == next.set());
    sets.map(|set| {
        let count = |expected| set.iter().filter(|vector| vector.expected == expected).count();
        let counts = [Expected::Verified, Expected::Refused, Expected::KeyRefused].map(count);
        (set.first().map_or("", Vector::set), counts)
    })
    .collect()
}
