//! A second opinion about tokens: signatures by `jsonwebtoken`, JSON by `serde_json` alone.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, crypto};
use jwt_rbac::authn::identity::Identity;
use serde_json::Value;

use crate::policy::{AUDIENCE, ISSUER, NOW, SECRET};

/// How far clocks may be apart unless the document says otherwise, in seconds.
const SKEW: f64 = 60.0;

/// base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs with the secret of the document.
pub fn sign(signed: &[u8], algorithm: Algorithm) -> String {
    let key = EncodingKey::from_secret(SECRET);
    crypto::sign(signed, &key, algorithm).expect("any secret signs")
}

/// Fails unless this token is one that gives this identity.
pub fn confirm(token: &str, identity: &Identity) {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("{} parts", parts.len()) };
    let header = json(header);
    let claims = json(payload);
    respelled(signature);
    let name = header["alg"].as_str().expect("an accepted token names its algorithm");
    let algorithm = match name {
        "HS256" => Algorithm::HS256,
        "HS384" => Algorithm::HS384,
        "HS512" => Algorithm::HS512,
        other => panic!("accepted with the algorithm {other}"),
    };
    let (signed, _) = token.rsplit_once('.').expect("an accepted token has dots");
    let key = DecodingKey::from_secret(SECRET);
    let verified = crypto::verify(signature, signed.as_bytes(), &key, algorithm);
    assert!(verified.is_ok_and(|is_good| is_good), "jsonwebtoken refuses the signature");
    assert!(header.get("crit").is_none() && header["b64"] != false, "critical: {header}");
    // It knows the types of more members of a header, and so refuses some that we ignore.
    if jsonwebtoken::decode_header(token).is_ok() {
        let mut validation = Validation::new(algorithm);
        // Its clock is the machine's.
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.set_issuer(&[ISSUER]);
        validation.required_spec_claims = ["iss".to_owned(), "exp".to_owned()].into();
        let theirs = jsonwebtoken::decode::<Value>(token, &key, &validation);
        let theirs = theirs.unwrap_or_else(|error| panic!("jsonwebtoken: {error}: {claims}"));
        assert_eq!(theirs.claims, claims);
    }
    check_claims(&claims);
    assert_eq!(identity.subject.as_deref(), claims["sub"].as_str());
}

fn check_claims(claims: &Value) {
    assert_eq!(claims["iss"], ISSUER);
    let now = f64::from(u32::try_from(NOW).expect("before 2106"));
    let until = claims["exp"].as_f64().expect("an accepted token expires");
    assert!(until + SKEW + 1.0 >= now, "expired: {claims}");
    let from = claims["nbf"].as_f64().unwrap_or_default();
    assert!(from <= now + SKEW + 1.0, "not yet: {claims}");
    // Envoy's `check_audience.cc` leaves the scheme and a slash at the end out.
    let plain = |audience: &str| {
        let rest = audience.strip_prefix("https://").or_else(|| audience.strip_prefix("http://"));
        let rest = rest.unwrap_or(audience);
        rest.strip_suffix('/').unwrap_or(rest).to_owned()
    };
    let is_ours =
        |audience: &Value| audience.as_str().is_some_and(|it| plain(it) == plain(AUDIENCE));
    let is_meant = match &claims["aud"] {
        Value::Array(audiences) => audiences.iter().any(is_ours),
        audience => is_ours(audience),
    };
    assert!(is_meant, "for others: {claims}");
    assert_ne!(claims["jti"], "stolen");
}

/// A part that is accepted is JSON for everybody, and has no other spelling.
fn json(part: &str) -> Value {
    let bytes = respelled(part);
    let value: Value = serde_json::from_slice(&bytes).expect("an accepted part is JSON");
    assert!(value.is_object(), "{value}");
    value
}

fn respelled(part: &str) -> Vec<u8> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("an accepted part is base64url");
    assert_eq!(encode(&bytes), part, "another spelling of an accepted part");
    bytes
}
