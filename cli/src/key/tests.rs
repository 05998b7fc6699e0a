//! Keys of RFC 8410 §10.3, keys made by OpenSSL, and damaged ones.

use super::*;

const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----";
/// The same, with an attribute and the public key.
const ED25519_WITH_PUBLIC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----";
const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----";

const P256: &str = include_str!("../../../testdata/keys/es256.pem");
const P256_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+UyKl528GzsGA+NiQzFoYE82nI5r
oWLYVNuVaWHd7RFbYSHQpGumoU5X3/gTOMj0dwdguMTq8eBTDDvqzs7XlQ==
-----END PUBLIC KEY-----";
const P256_COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----
MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAD+UyKl528GzsGA+NiQzFoYE82nI5r
oWLYVNuVaWHd7RE=
-----END PUBLIC KEY-----";

const P521_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAuN1+m5og2kIxdFa52lqDXygXiWkq
1agQXoQ2dU8IL3DJ4+8K9MsnktHzR4ZS/C/o/mBVJJdi9lHtIdAKwfA1dOsBULxA
5mQ0j9UvGEE5e8ODTAbgLvRGA9STVzBisUvQhF6/Jry80tPjke5uIh15uHy37MSi
7Wb90UeYiJd1eZSPJ30=
-----END PUBLIC KEY-----";
const ED448_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MEMwBQYDK2VxAzoAKHY1BwJxFNV64eV6Ro8A0HulGjGm+i9FrRY/hk4VGnK7VFG+
yES7IAFVeHuSL6a/5gywos9uwhwA
-----END PUBLIC KEY-----";
const RSA_1024_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC2k2UgVKuoLr+oDib08noYuiIi
Gk7QUWYCxl9qgLoUrdMQ3hxeGuq+vesUfJ+7M7R5wERd/2WHkKmSjmB1BWGeKDhB
msE4Gwpq3Zpbm4WMNc7P3/+F8k0l3xVUwcJyfKUGHtH2Q+32nTw2gtwbPixCOVSW
GSk/nMhpiOAHDCyT/QIDAQAB
-----END PUBLIC KEY-----";

fn der(text: &str) -> Vec<u8> {
    pem::parse(text).unwrap().into_contents()
}

fn public_part(private: &[u8]) -> PublicKey {
    SigningKey::from_pkcs8(private, None).unwrap().public
}

fn problem(public: &[u8]) -> String {
    PublicKey::from_spki(public, None).unwrap_err().to_string()
}

#[test]
fn a_private_key_has_the_public_key_that_belongs_to_it() {
    for (private, public) in [(ED25519, ED25519_PUBLIC), (P256, P256_PUBLIC)] {
        assert_eq!(public_part(&der(private)), PublicKey::from_spki(&der(public), None).unwrap());
    }
}

#[test]
fn an_ed25519_key_may_carry_its_public_key() {
    assert_eq!(public_part(&der(ED25519_WITH_PUBLIC_KEY)), public_part(&der(ED25519)));
}

#[test]
fn the_kid_is_the_thumbprint_of_rfc_8037() {
    // A.3; the key is that of A.1, behind the prefix that RFC 8410 gives it.
    let public = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----";
    let key = PublicKey::from_spki(&der(public), None).unwrap();
    assert_eq!(key.kid.as_deref(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
}

#[test]
fn a_key_of_p_521_has_both_coordinates_in_full() {
    let key = PublicKey::from_spki(&der(P521_PUBLIC), None).unwrap();
    let Parameters::Ec { crv: "P-521", x, y } = key.parameters else { panic!("{key:?}") };
    // 66 bytes each (RFC 7518 §6.2.1.2).
    assert_eq!((x.len(), y.len()), (88, 88));
}

#[test]
fn kinds_that_no_algorithm_of_ours_uses_are_named() {
    assert!(
        problem(&der(ED448_PUBLIC)).starts_with("holds a key of kind Ed448; expected RSA, P-256")
    );
}

#[test]
fn an_rsa_key_that_the_filter_refuses_is_refused_here() {
    assert!(
        problem(&der(RSA_1024_PUBLIC)).starts_with("holds an RSA key of 1024 bits; expected 2048")
    );
}

#[test]
fn a_compressed_point_is_told_from_a_damaged_key() {
    assert!(problem(&der(P256_COMPRESSED)).contains("-conv_form uncompressed"));
}

#[test]
fn a_point_that_is_not_on_the_curve_is_refused() {
    let mut key = der(P256_PUBLIC);
    *key.last_mut().unwrap() ^= 1;
    assert!(problem(&key).starts_with("holds a key that does not decode"));
}

#[test]
fn no_cut_of_a_key_is_a_key() {
    for text in [ED25519, P256, include_str!("../../../testdata/keys/rs256.pem")] {
        let key = der(text);
        for length in (0..key.len()).step_by(7) {
            assert!(SigningKey::from_pkcs8(&key[..length], None).is_err(), "{length}");
        }
    }
    for text in [ED25519_PUBLIC, P256_PUBLIC, RSA_1024_PUBLIC] {
        let key = der(text);
        for length in 0..key.len() {
            assert!(PublicKey::from_spki(&key[..length], None).is_err(), "{length}");
        }
    }
}

#[test]
fn every_other_label_gets_its_remedy() {
    let cases = [
        ("PUBLIC KEY", Wanted::Private, "name the file of the private key"),
        ("RSA PUBLIC KEY", Wanted::Private, "name the file of the private key"),
        ("CERTIFICATE", Wanted::Private, "name the file of the private key"),
        ("RSA PUBLIC KEY", Wanted::PrivateOrPublic, "openssl rsa -RSAPublicKey_in"),
        ("CERTIFICATE", Wanted::PrivateOrPublic, "openssl x509"),
        ("RSA PRIVATE KEY", Wanted::Private, "openssl pkey"),
        ("EC PRIVATE KEY", Wanted::Private, "openssl pkey"),
        ("EC PARAMETERS", Wanted::PrivateOrPublic, "openssl pkey"),
        ("ENCRYPTED PRIVATE KEY", Wanted::Private, "openssl pkey"),
        ("OPENSSH PRIVATE KEY", Wanted::Private, "openssl genpkey"),
    ];
    for (label, wanted, remedy) in cases {
        let message = KeyProblem::block(label, wanted).to_string();
        assert!(message.contains(remedy), "{label}: {message}");
        assert!(message.contains(&format!("expected {wanted}")), "{label}: {message}");
    }
}

#[test]
fn a_private_rsa_key_is_the_same_as_a_jwk() {
    let der = der(include_str!("../../../testdata/keys/rs256.pem"));
    let info = PrivateKeyInfo::try_from(der.as_slice()).unwrap();
    let key = pkcs1::RsaPrivateKey::try_from(info.private_key).unwrap();
    let numbers = [
        ("n", key.modulus),
        ("e", key.public_exponent),
        ("d", key.private_exponent),
        ("p", key.prime1),
        ("q", key.prime2),
        ("dp", key.exponent1),
        ("dq", key.exponent2),
        ("qi", key.coefficient),
    ];
    let mut jwk = Map::from_iter([("kty".to_owned(), Value::from("RSA"))]);
    for (name, number) in numbers {
        jwk.insert(name.to_owned(), URL_SAFE_NO_PAD.encode(number.as_bytes()).into());
    }
    let signing = |jwk: &Map<String, Value>| json::signing_key(&[jwk.clone().into()], None);
    assert_eq!(signing(&jwk).unwrap().public, public_part(&der));
    let token = signing(&jwk).unwrap().sign(&Map::new(), &Map::new()).unwrap();
    assert_eq!(token.split('.').nth(2).unwrap().len(), 342);
    jwk.remove("p");
    assert!(matches!(signing(&jwk), Err(KeyProblem::Member("p"))));
}

#[test]
fn one_private_key_signs() {
    let public = serde_json::json!({"kty": "oct", "k": "A".repeat(43)});
    let two = [public.clone(), public];
    assert!(matches!(json::signing_key(&two, None), Err(KeyProblem::Several(2))));
    assert!(matches!(json::signing_key(&[], None), Err(KeyProblem::Block { .. })));
}
