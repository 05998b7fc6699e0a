//! The argument of Envoy's foreign function `verify_signature`, made of the test keys and of a token
//! such as the callers send: for `jwt-rbac-floor`, which has it checked again and again.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::recipe::recipe;
use jwt_rbac_e2e::artifacts;

/// The bytes before the two coordinates of a point of P-256 in a `SubjectPublicKeyInfo` (RFC 5480
/// §2): the algorithm `id-ecPublicKey`, the curve, and the byte that says that both coordinates
/// follow.
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

/// The argument in base64, for a valid signature with RS256 or ES256.
///
/// # Panics
///
/// For any other algorithm.
pub fn arguments(algorithm: &str) -> String {
    let (key, tamper, public_key) = match algorithm {
        "RS256" => ("rs256", None, rsa_key()),
        // Envoy takes ECDSA signatures as ASN.1, unlike RFC 7518 §3.4.
        "ES256" => ("es256", Some("der-signature".to_owned()), p256_key()),
        _ => panic!("{algorithm} is neither RS256 nor ES256"),
    };
    let mut recipe = recipe(0).key(key);
    recipe.tamper = tamper;
    let token = recipe.mint();
    let (text, signature) = token.rsplit_once('.').expect("a token has three parts");
    // `envoy.source.extensions.common.wasm.VerifySignatureArguments`
    let fields = [b"sha256".to_vec(), public_key, base64url(signature), text.into()];
    BASE64_STANDARD.encode((1..).zip(fields).fold(Vec::new(), with_field))
}

/// Appends a field of bytes to a message: tag, length, bytes.
fn with_field(mut message: Vec<u8>, (number, bytes): (u8, Vec<u8>)) -> Vec<u8> {
    const LENGTH_DELIMITED: u8 = 2;
    message.push(number << 3 | LENGTH_DELIMITED);
    let mut length = bytes.len();
    while length >= 0x80 {
        message.push(length.to_le_bytes()[0] | 0x80);
        length >>= 7;
    }
    message.push(length.to_le_bytes()[0]);
    message.extend(bytes);
    message
}

fn rsa_key() -> Vec<u8> {
    let pem = artifacts::key_file("rs256-public.pem");
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    BASE64_STANDARD.decode(lines.collect::<String>()).expect("a PEM file holds base64")
}

fn p256_key() -> Vec<u8> {
    let set: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set is JSON");
    let keys = set["keys"].as_array().expect("a list of keys");
    let key = keys.iter().find(|key| key["crv"] == "P-256").expect("a key of P-256");
    let coordinate = |name: &str| base64url(key[name].as_str().expect("a coordinate"));
    [P256.to_vec(), coordinate("x"), coordinate("y")].concat()
}

fn base64url(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_beyond_seven_bits_have_two_bytes() {
        assert_eq!(with_field(vec![9], (1, vec![7; 2])), [9, 0x0a, 2, 7, 7]);
        assert_eq!(with_field(Vec::new(), (4, vec![7; 300]))[..3], [0x22, 0xac, 2]);
    }

    #[test]
    fn keys_have_the_size_of_their_kind() {
        assert_eq!([rsa_key().len(), p256_key().len()], [294, 91]);
    }
}
