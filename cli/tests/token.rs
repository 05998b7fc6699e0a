//! `jwt-rbac token`: its tokens verify with what `jwks` prints, and only with that.

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use common::{file, key, run_with_input, stdout, testdata, text};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Header, TokenData, Validation};
use serde_json::{Value, json};

/// The token of a run that must succeed.
fn mint(arguments: &[&str]) -> String {
    let line = stdout(&[&["token"], arguments].concat());
    let token = line.strip_suffix('\n').unwrap();
    assert!(!token.contains(char::is_whitespace), "{line}");
    token.to_owned()
}

/// Verifies a token with the key set that `jwks` prints, as a service would.
fn verify(token: &str, jwks_arguments: &[&str]) -> Result<TokenData<Value>, ErrorKind> {
    let set = stdout(&[&["jwks"], jwks_arguments].concat());
    let set: JwkSet = serde_json::from_str(&set).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let jwk = match &header.kid {
        Some(kid) => set.find(kid).ok_or(ErrorKind::InvalidKeyFormat)?,
        None => &set.keys[0],
    };
    assert_eq!(jwk.common.key_algorithm, Some(header.alg.into()));
    let mut validation = Validation::new(header.alg);
    validation.validate_aud = false;
    validation.leeway = 0;
    let decoding = DecodingKey::from_jwk(jwk).unwrap();
    jsonwebtoken::decode(token, &decoding, &validation)
        .map_err(jsonwebtoken::errors::Error::into_kind)
}

fn header(token: &str) -> Header {
    jsonwebtoken::decode_header(token).unwrap()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

#[test]
fn every_kind_of_key_signs_with_its_default() {
    for (name, algorithm) in
        [("rs256", "RS256"), ("es256", "ES256"), ("es384", "ES384"), ("eddsa", "EdDSA")]
    {
        let token = mint(&["--key", &key(name), "--subject", "user"]);
        let verified = verify(&token, &[&key(name)]).unwrap();
        assert_eq!(format!("{:?}", verified.header.alg), algorithm);
        assert_eq!(verified.header.typ.as_deref(), Some("JWT"));
        assert_eq!(verified.claims["sub"], "user");
    }
}

/// `jsonwebtoken` does not know the curve, so the filter's own check is asked, which has its own vectors.
#[test]
fn p_521_and_secrets_sign_what_the_filter_accepts() {
    let secret = json!({"kty": "oct", "kid": "s", "k": "B".repeat(85) + "A"});
    let secret = file("token-oct.json", &secret.to_string());
    let cases = [
        (key("es512"), "ES512"),
        (secret.clone(), "HS256"),
        (secret.clone(), "HS384"),
        (secret, "HS512"),
    ];
    for (key, algorithm) in cases {
        let token = mint(&["--key", &key, "--algorithm", algorithm, "--issuer", "https://a.test"]);
        let set = stdout(&["jwks", "--algorithm", algorithm, &key]);
        let policy = json!({"jwtRules": [{
            "issuer": "https://a.test", "anyAudience": true, "jwks": set, "algorithms": [algorithm],
        }]});
        let policy = file(&format!("token-{algorithm}.json"), &policy.to_string());
        let said = stdout(&["decode", &token, "--policy", &policy]);
        assert!(said.contains(&format!("algorithm {algorithm}")), "{said}");
    }
}

#[test]
fn a_jwk_signs_like_the_pem_of_the_same_key() {
    // RFC 7517 appendix A.2.
    let ec = r#"{"kty": "EC", "crv": "P-256", "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    // RFC 8037 appendix A.1.
    let ed25519 = r#"{"kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    for (name, text) in [("ec", ec), ("ed25519", ed25519)] {
        let jwk = file(&format!("token-{name}.jwk"), text);
        let token = mint(&["--key", &jwk, "--subject", "user"]);
        assert_eq!(verify(&token, &[&jwk]).unwrap().claims["sub"], "user");
    }
}

#[test]
fn every_algorithm_of_rsa_signs() {
    for algorithm in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let token = mint(&["--key", &key("rs256"), "--algorithm", algorithm]);
        let verified = verify(&token, &["--algorithm", algorithm, &key("rs256")]).unwrap();
        assert_eq!(format!("{:?}", verified.header.alg), algorithm);
    }
}

#[test]
fn a_stranger_does_not_pass_for_another() {
    for name in ["rs256", "es256"] {
        let stranger = key(&format!("stranger-{name}"));
        let token = mint(&["--key", &stranger]);
        assert!(matches!(verify(&token, &[&key(name)]), Err(ErrorKind::InvalidKeyFormat)));
        let token = mint(&["--key", &stranger, "--no-kid"]);
        assert!(matches!(verify(&token, &[&key(name)]), Err(ErrorKind::InvalidSignature)));
    }
}

#[test]
fn the_callers_of_the_testdata_get_their_tokens() {
    let before = now();
    let callers = testdata("callers/user.json");
    let token = mint(&["--key", &key("es256"), "--claims", &callers]);
    let claims = verify(&token, &[&key("es256")]).unwrap().claims;
    let issued = claims["iat"].as_i64().unwrap();
    assert!((before..=now()).contains(&issued), "{issued}");
    let expected = json!({
        "iss": "https://tenant.auth0.com/",
        "aud": ["https://bookinfo.io", "https://tenant.auth0.com/userinfo"],
        "sub": "auth0|user",
        "scope": "openid profile",
        "permissions": ["read:book-details"],
        "iat": issued,
        "exp": issued + 3600,
    });
    assert_eq!(claims, expected);
}

#[test]
fn options_win_over_the_file_and_claims_over_options() {
    let token = mint(&[
        "--key",
        &key("es256"),
        "--claims",
        &testdata("callers/moderator.json"),
        "--audience",
        "https://one.example.com",
        "--permission",
        "a",
        "--permission",
        "b",
        "--subject",
        "option",
        "--claim",
        "sub=claim",
        "--claim",
        "level=7",
    ]);
    let claims = verify(&token, &[&key("es256")]).unwrap().claims;
    assert_eq!(claims["iss"], "https://tenant.auth0.com/");
    assert_eq!(claims["aud"], "https://one.example.com");
    assert_eq!(claims["permissions"], json!(["a", "b"]));
    assert_eq!(claims["sub"], "claim");
    assert_eq!(claims["level"], 7);
}

#[test]
fn claims_come_from_standard_input() {
    let arguments = ["token", "--key", &key("es256"), "--claims", "-"];
    let output = run_with_input(&arguments, r#"{"sub": "piped"}"#);
    let token = text(&output.stdout);
    assert_eq!(verify(token.trim_end(), &[&key("es256")]).unwrap().claims["sub"], "piped");
}

#[test]
fn a_negative_lifetime_makes_an_expired_token() {
    let token = mint(&["--key", &key("es256"), "--lifetime", "-5m"]);
    assert!(matches!(verify(&token, &[&key("es256")]), Err(ErrorKind::ExpiredSignature)));
    let claims = jsonwebtoken::dangerous::insecure_decode::<Value>(&token).unwrap().claims;
    let expired = claims["exp"].as_i64().unwrap();
    assert!((now() - 310..=now() - 300).contains(&expired), "{claims}");
    assert_eq!(claims["iat"], expired - 3600);
}

#[test]
fn expiration_can_be_left_out() {
    let token = mint(&["--key", &key("es256"), "--no-expiration"]);
    let error = verify(&token, &[&key("es256")]).unwrap_err();
    assert!(matches!(error, ErrorKind::MissingRequiredClaim(claim) if claim == "exp"));
}

#[test]
fn the_header_can_be_chosen() {
    let key = key("es256");
    let chosen = header(&mint(&["--key", &key, "--kid", "mine", "--type", "at+jwt"]));
    assert_eq!((chosen.kid.as_deref(), chosen.typ.as_deref()), (Some("mine"), Some("at+jwt")));
    assert_eq!(header(&mint(&["--key", &key, "--no-kid"])).kid, None);
}

#[test]
fn help_shows_an_example() {
    for arguments in [["token", "--help"], ["jwks", "--help"]] {
        assert!(stdout(&arguments).contains("Example:\n"));
    }
}
