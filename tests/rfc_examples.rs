//! The verifier that runs outside of Envoy against the examples of the RFCs.

mod native;
mod vectors;

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::Jwk;
use jwt_rbac::authn::jws::{DecodedParts, LIMITS, UntrustedToken};
use jwt_rbac::authn::keys::Keys;
use jwt_rbac::authn::price::Budget;
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use vectors::{Expected, rfc};

#[test]
fn the_examples_verify() {
    let examples = rfc::all();
    assert_eq!(examples.len(), 9);
    native::check(&examples);
}

#[test]
fn no_byte_of_an_example_may_change() {
    for example in rfc::all() {
        for position in 0..example.signature.len() {
            let mut changed = example.clone();
            changed.signature[position] ^= 1;
            let verdict = native::verdict(&changed);
            assert_eq!(verdict, Expected::Refused, "{}, signature, {position}", example.name);
        }
        for position in 0..example.signed.len() {
            let mut changed = example.clone();
            changed.signed[position] ^= 1;
            let verdict = native::verdict(&changed);
            assert_eq!(verdict, Expected::Refused, "{}, signed, {position}", example.name);
        }
    }
}

#[test]
fn numbers_have_the_size_of_the_field() {
    let resized = rfc::resized();
    assert!(resized.iter().any(|vector| vector.signature.len() == 131), "one is shorter");
    native::check(&resized);
}

#[test]
fn whole_tokens_verify() {
    let tokens = rfc::tokens();
    assert_eq!(tokens.len(), 3);
    for (jwk, token) in tokens {
        let key = Jwk::parse(&jwk, Some(Algorithm::ALL)).expect("the RFC has good keys");
        let mut decoded = DecodedParts::default();
        let token = UntrustedToken::parse(token.as_bytes(), false, LIMITS, &mut decoded)
            .expect("the payload is an object");
        assert_eq!(token.claims.issuer(), Some("joe"));
        let keys = Keys::prepare(&[key], &mut RustCrypto);
        assert_eq!(keys.verify(&token, None, &mut Budget::default()), Ok(()));
    }
}
