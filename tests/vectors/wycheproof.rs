//! The vectors of Wycheproof (<https://github.com/C2SP/wycheproof>) for the algorithms that we know.
//!
//! Its set of whole tokens is not among them: the crate leaves it out, and none of its payloads is
//! a JSON object.

use serde_json::{Value, json};
use wycheproof::{
    HashFunction, Mgf, RsaPublic, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify,
};

use super::{Expected, Vector, base64url};

/// All of them.
pub fn all() -> Vec<Vector> {
    [rsa_pkcs1(), rsa_pss(), ecdsa(), eddsa(), hmac()].concat()
}

/// RFC 7518 §3.3.
fn rsa_pkcs1() -> Vec<Vector> {
    use rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512,
        Rsa4096Sha256, Rsa4096Sha384, Rsa4096Sha512, Rsa8192Sha256, Rsa8192Sha384, Rsa8192Sha512,
    };
    use rsa_pkcs1_verify::{TestFlag, TestSet};
    let mut vectors = Vec::new();
    for (set, algorithm) in [
        (Rsa2048Sha256, "RS256"),
        (Rsa2048Sha384, "RS384"),
        (Rsa2048Sha512, "RS512"),
        (Rsa3072Sha256, "RS256"),
        (Rsa3072Sha384, "RS384"),
        (Rsa3072Sha512, "RS512"),
        (Rsa4096Sha256, "RS256"),
        (Rsa4096Sha384, "RS384"),
        (Rsa4096Sha512, "RS512"),
        (Rsa8192Sha256, "RS256"),
        (Rsa8192Sha384, "RS384"),
        (Rsa8192Sha512, "RS512"),
    ] {
        for group in TestSet::load(set).expect("the crate reads its own files").test_groups {
            let jwk = rsa_key(&group.key, algorithm);
            vectors.extend(group.tests.into_iter().map(|test| Vector {
                name: format!("{set:?} {}: {}", test.tc_id, test.comment),
                jwk: jwk.clone(),
                algorithm,
                signed: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: match test.result {
                    // RFC 8017 §8.2.2 has the verifier encode the hash anew and compare. What one
                    // gets by reading the encoding instead, with the NULL of its AlgorithmIdentifier
                    // left out, is what forged signatures were made with (CVE-2006-4339).
                    TestResult::Acceptable if test.flags == [TestFlag::MissingNull] => {
                        Expected::Refused
                    }
                    result => expected(result),
                },
            }));
        }
    }
    vectors
}

/// RFC 7518 §3.5. The sets `…_params` are left out: they are the same for keys that carry
/// parameters, which a JWK can't.
fn rsa_pss() -> Vec<Vector> {
    use rsa_pss_verify::{TestGroupTypeId, TestName, TestSet};
    let mut vectors = Vec::new();
    for set in TestName::all() {
        for group in TestSet::load(set).expect("the crate reads its own files").test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => "PS256",
                HashFunction::Sha2_384 => "PS384",
                HashFunction::Sha2_512 => "PS512",
                _ => continue,
            };
            if group.test_type == TestGroupTypeId::RsaPssVerifyWithParam {
                continue;
            }
            let jwk = rsa_key(&group.key, algorithm);
            vectors.extend(group.tests.iter().map(|test| Vector {
                name: format!("{set:?} {}: {}", test.tc_id, test.comment),
                jwk: jwk.clone(),
                algorithm,
                signed: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: expected_of_pss(&group, test),
            }));
        }
    }
    vectors
}

/// Tokens use one hash for everything, and a salt of its size (RFC 7518 §3.5). A signature that is
/// good with other parameters is none of theirs.
fn expected_of_pss(group: &rsa_pss_verify::TestGroup, test: &rsa_pss_verify::Test) -> Expected {
    let salt_size = match group.hash {
        HashFunction::Sha2_256 => 32,
        HashFunction::Sha2_384 => 48,
        _ => 64,
    };
    if group.mgf != Mgf::Mgf1 || group.mgf_hash != Some(group.hash) {
        Expected::Refused
    } else if group.salt_size == salt_size {
        expected(test.result)
    } else if test.comment == format!("s_len changed to {salt_size}") {
        // Wrong in its group, and just right for tokens.
        Expected::Verified
    } else {
        Expected::Refused
    }
}

/// RFC 7518 §3.4, whose signatures are those of IEEE P1363.
fn ecdsa() -> Vec<Vector> {
    use ecdsa::TestName::{
        EcdsaSecp256r1Sha256P1363, EcdsaSecp384r1Sha384P1363, EcdsaSecp521r1Sha512P1363,
    };
    let mut vectors = Vec::new();
    for (set, algorithm, curve) in [
        (EcdsaSecp256r1Sha256P1363, "ES256", "P-256"),
        (EcdsaSecp384r1Sha384P1363, "ES384", "P-384"),
        (EcdsaSecp521r1Sha512P1363, "ES512", "P-521"),
    ] {
        let set_of_tests = ecdsa::TestSet::load(set).expect("the crate reads its own files");
        for group in set_of_tests.test_groups {
            // A 4, then both coordinates in the full size of the field (SEC 1 §2.3.3).
            let coordinates = &group.key.key[1..];
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let (x, y) = (base64url(x), base64url(y));
            let jwk = json!({"kty": "EC", "crv": curve, "alg": algorithm, "x": x, "y": y});
            vectors.extend(group.tests.into_iter().map(|test| Vector {
                name: format!("{set:?} {}: {}", test.tc_id, test.comment),
                jwk: jwk.clone(),
                algorithm,
                signed: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                expected: expected(test.result),
            }));
        }
    }
    vectors
}

/// RFC 8037 §3.1.
fn eddsa() -> Vec<Vector> {
    let set = eddsa::TestName::Ed25519;
    let groups = eddsa::TestSet::load(set).expect("the crate reads its own files").test_groups;
    let mut vectors = Vec::new();
    for group in groups {
        let x = base64url(&group.key.pk);
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": x});
        vectors.extend(group.tests.into_iter().map(|test| Vector {
            name: format!("{set:?} {}: {}", test.tc_id, test.comment),
            jwk: jwk.clone(),
            algorithm: "EdDSA",
            signed: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            expected: expected(test.result),
        }));
    }
    vectors
}

/// RFC 7518 §3.2.
fn hmac() -> Vec<Vector> {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    let mut vectors = Vec::new();
    for (set, algorithm, bits) in
        [(HmacSha256, "HS256", 256), (HmacSha384, "HS384", 384), (HmacSha512, "HS512", 512)]
    {
        for group in mac::TestSet::load(set).expect("the crate reads its own files").test_groups {
            vectors.extend(group.tests.into_iter().map(|test| Vector {
                name: format!("{set:?} {}: {}", test.tc_id, test.comment),
                jwk: json!({"kty": "oct", "alg": algorithm, "k": base64url(&test.key)}),
                algorithm,
                signed: test.msg.to_vec(),
                signature: test.tag.to_vec(),
                // RFC 7518 §3.2: a key has at least the size of the hash, and a tag exactly that.
                expected: if group.key_size < bits {
                    Expected::KeyRefused
                } else if group.tag_size < bits {
                    Expected::Refused
                } else {
                    expected(test.result)
                },
            }));
        }
    }
    vectors
}

fn rsa_key(key: &RsaPublic, algorithm: &str) -> Value {
    // RFC 7518 §6.3.1: without the zero that ASN.1 puts before a number.
    let number = |bytes: &[u8]| {
        base64url(&bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>())
    };
    json!({"kty": "RSA", "alg": algorithm, "n": number(&key.n), "e": number(&key.e)})
}

fn expected(result: TestResult) -> Expected {
    match result {
        TestResult::Valid => Expected::Verified,
        TestResult::Invalid => Expected::Refused,
        TestResult::Acceptable => panic!("nobody has decided about this vector"),
    }
}
