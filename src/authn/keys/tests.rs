//! Examples of RFC 7515, and what becomes of them with other keys.

use serde_json::{Value, json};

use super::super::signature::rustcrypto::RustCrypto;
use super::*;
use crate::authn::jws::{DecodedParts, LIMITS};

/// RFC 7515 appendix A.2.
const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// RFC 7515 appendix A.3.
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

fn rsa_key() -> Value {
    json!({"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})
}

fn elliptic_curve_key() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn with(mut key: Value, member: &str, value: Value) -> Value {
    key[member] = value;
    key
}

fn keys(keys: &[Value]) -> Keys {
    let keys: Vec<_> = keys.iter().map(|key| Jwk::parse(key, None).unwrap()).collect();
    Keys::prepare(&keys, &mut RustCrypto)
}

fn verify(keys: &Keys, token: &str) -> Result<(), Refusal> {
    let mut decoded = DecodedParts::default();
    let token = UntrustedToken::parse(token.as_bytes(), false, LIMITS, &mut decoded).unwrap();
    keys.verify(&token, Some("joe"), &mut Budget::default())
}

#[test]
fn the_examples_verify() {
    let keys = keys(&[rsa_key(), elliptic_curve_key()]);
    assert_eq!(verify(&keys, RS256), Ok(()));
    assert_eq!(verify(&keys, ES256), Ok(()));
}

#[test]
fn a_key_that_names_its_issuer_signs_for_no_other() {
    for (issuer, expected) in [
        (json!("joe"), Ok(())),
        (json!("https://login.microsoftonline.com/{tenantid}/v2.0"), Ok(())),
        (json!(7), Ok(())),
        (json!("ann"), Err(Refusal::KeyUnknown)),
        (json!(""), Err(Refusal::KeyUnknown)),
    ] {
        let keys = keys(&[with(rsa_key(), "issuer", issuer.clone())]);
        assert_eq!(verify(&keys, RS256), expected, "{issuer}");
        let mut decoded = DecodedParts::default();
        let token = UntrustedToken::parse(RS256.as_bytes(), false, LIMITS, &mut decoded).unwrap();
        let unbound = keys.verify(&token, None, &mut Budget::default());
        assert_eq!(unbound, Ok(()), "{issuer}");
    }
}

#[test]
fn a_changed_example_does_not() {
    let keys = keys(&[rsa_key(), elliptic_curve_key()]);
    for token in [RS256, ES256] {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let truncated = format!("{signed}.{}", signature.split_at(4).1);
        assert_eq!(verify(&keys, &truncated), Err(Refusal::SignatureInvalid));
        let other_payload = token.replacen(".eyJpc3MiOiJqb2Ui", ".eyJpc3MiOiJqb2Ei", 1);
        assert_eq!(verify(&keys, &other_payload), Err(Refusal::SignatureInvalid));
    }
    let (signed, _) = RS256.rsplit_once('.').unwrap();
    let (_, signature) = ES256.rsplit_once('.').unwrap();
    assert_eq!(verify(&keys, &format!("{signed}.{signature}")), Err(Refusal::SignatureInvalid));
}

#[test]
fn the_key_chooses_the_algorithm() {
    assert_eq!(verify(&keys(&[elliptic_curve_key()]), RS256), Err(Refusal::KeyUnknown));
    let for_rs512 = with(rsa_key(), "alg", json!("RS512"));
    assert_eq!(verify(&keys(&[for_rs512]), RS256), Err(Refusal::KeyUnknown));
}

#[test]
fn a_key_id_selects() {
    let header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ"; // {"alg":"RS256","kid":"a"}
    let token = format!("{header}.{}", RS256.split_once('.').unwrap().1);
    let (a, b) = (with(rsa_key(), "kid", json!("a")), with(rsa_key(), "kid", json!("b")));
    // The signature is of another header, so a key that is tried does not verify it.
    assert_eq!(verify(&keys(&[a]), &token), Err(Refusal::SignatureInvalid));
    assert_eq!(verify(&keys(&[rsa_key()]), &token), Err(Refusal::SignatureInvalid));
    assert_eq!(verify(&keys(std::slice::from_ref(&b)), &token), Err(Refusal::KeyUnknown));
    assert_eq!(verify(&keys(&[b]), RS256), Ok(()), "a token without `kid` tries all");
}

#[test]
fn of_many_keys_the_first_are_tried() {
    let other = |id: usize| {
        let modulus = rsa_key()["n"].as_str().unwrap().replacen("ofgW", "ofgX", 1);
        with(with(rsa_key(), "n", json!(modulus)), "kid", json!(id.to_string()))
    };
    let behind = |others: usize| -> Vec<_> { (0..others).map(other).chain([rsa_key()]).collect() };
    assert_eq!(verify(&keys(&behind(5)), RS256), Ok(()), "six keys, as Entra ID publishes");
    assert_eq!(verify(&keys(&behind(9)), RS256), Err(Refusal::KeyAmbiguous));
    assert_eq!(verify(&keys(&behind(5)[..5]), RS256), Err(Refusal::SignatureInvalid));
}

#[test]
fn unusable_keys_are_refused() {
    for (member, key) in [
        ("kty", with(rsa_key(), "kty", json!("DSA"))),
        ("n", with(rsa_key(), "n", json!("AQAB"))),
        (
            "n",
            with(rsa_key(), "n", json!(rsa_key()["n"].as_str().unwrap().replace("ofgW", "ofg*"))),
        ),
        ("d", with(rsa_key(), "d", json!("AQAB"))),
        ("p", with(rsa_key(), "p", json!("AQAB"))),
        ("d", with(elliptic_curve_key(), "d", json!(""))),
        ("d", with(json!({"kty": "OKP"}), "d", json!("AQAB"))),
        ("e", with(rsa_key(), "e", json!("AQ"))),
        ("e", with(rsa_key(), "e", json!("Ag"))),
        ("alg", with(rsa_key(), "alg", json!("ES256"))),
        ("alg", with(rsa_key(), "alg", json!(7))),
        ("use", with(rsa_key(), "use", json!("enc"))),
        ("key_ops", with(rsa_key(), "key_ops", json!(["sign"]))),
        ("kid", with(rsa_key(), "kid", json!(7))),
        ("crv", with(elliptic_curve_key(), "crv", json!("secp256k1"))),
        ("x", with(elliptic_curve_key(), "x", json!("AQAB"))),
        ("x", with(elliptic_curve_key(), "x", elliptic_curve_key()["y"].clone())),
    ] {
        assert_eq!(Jwk::parse(&key, None).err().unwrap().member, member, "{key}");
    }
    let even = format!("{}g", rsa_key()["n"].as_str().unwrap().strip_suffix('Q').unwrap());
    assert_eq!(Jwk::parse(&with(rsa_key(), "n", json!(even)), None).err().unwrap().member, "n");
}
