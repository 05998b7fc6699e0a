//! RSASSA-PSS (RFC 8017 §8.1.2), which Envoy does not check for a filter.
//!
//! The library's check takes two and a half times as long in Wasm (`make bench-all`, "Refused requests that
//! cost most"): it raises to the usual exponent 65537 with a table of powers that is made for large ones.
//! So the power and the encoding are done here, with the library's numbers and hashes. Nothing in it is
//! secret, so that no step has to take the same time whatever it finds.

use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPublicKey};
use sha2::Digest;

/// The last byte of an encoded message.
const TRAILER: u8 = 0xbc;

/// Whether `signature` is one of `signed` by this key, with a salt of the size of the hash (RFC 7518
/// §3.5).
#[must_use]
pub fn verify<H: Digest>(key: &RsaPublicKey, signed: &[u8], signature: &[u8]) -> bool {
    let modulus_bits = key.n().bits();
    let number = BigUint::from_bytes_be(signature);
    if signature.len() != modulus_bits.div_ceil(8) || number >= *key.n() {
        return false;
    }
    let Some(encoded_bits) = modulus_bits.checked_sub(1) else { return false };
    let encoded = power(&number, key).to_bytes_be();
    let size = encoded_bits.div_ceil(8);
    let Some(zeros) = size.checked_sub(encoded.len()) else { return false };
    is_encoding::<H>([vec![0; zeros], encoded].concat(), encoded_bits, signed).unwrap_or(false)
}

/// The number to the exponent of the key, modulo its modulus.
#[allow(clippy::arithmetic_side_effects, reason = "numbers of any size, and no modulus is zero")]
fn power(number: &BigUint, key: &RsaPublicKey) -> BigUint {
    let exponent = key.e().to_bytes_be();
    let bits = exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    // The highest one is the number itself.
    let mut bits = bits.skip_while(|bit| !bit);
    bits.next();
    bits.fold(number.clone(), |power, bit| {
        let square = &power * &power % key.n();
        if bit { square * number % key.n() } else { square }
    })
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2). `None` where a part is missing: the key is too small for the hash.
fn is_encoding<H: Digest>(mut encoded: Vec<u8>, bits: usize, signed: &[u8]) -> Option<bool> {
    let hash_size = <H as Digest>::output_size();
    let (trailer, rest) = encoded.split_last_mut()?;
    let block_size = rest.len().checked_sub(hash_size)?;
    let (block, hash) = rest.split_at_mut_checked(block_size)?;
    let zeros = block_size.checked_sub(hash_size)?.checked_sub(1)?;
    // Bits that the first byte has and the number has not.
    let unused =
        block_size.checked_add(hash_size)?.checked_add(1)?.checked_mul(8)?.checked_sub(bits)?;
    let used = 0xff_u8.checked_shr(u32::try_from(unused).ok()?)?;
    let first = block.first_mut()?;
    if *trailer != TRAILER || *first & !used != 0 {
        return Some(false);
    }
    unmask::<H>(block, hash);
    *block.first_mut()? &= used;
    let (padding, salt) = block.split_at_checked(zeros.checked_add(1)?)?;
    let (one, zeros) = padding.split_last()?;
    let expected =
        H::new().chain_update([0; 8]).chain_update(H::digest(signed)).chain_update(salt).finalize();
    Some(*one == 1 && zeros.iter().all(|byte| *byte == 0) && *expected == *hash)
}

/// Takes MGF1 of a seed (RFC 8017 §B.2.1) off a block.
fn unmask<H: Digest>(block: &mut [u8], seed: &[u8]) {
    for (counter, part) in (0_u32..).zip(block.chunks_mut(<H as Digest>::output_size())) {
        let mask = H::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize();
        part.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "the numbers are small")]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use rsa::pss::{Signature, VerifyingKey};
    use rsa::signature::Verifier as _;
    use sha2::{Sha256, Sha384, Sha512};

    use super::*;

    /// The keys of `testdata/jwks-all.json` that are RSA.
    fn key() -> RsaPublicKey {
        let set = include_str!("../../../testdata/jwks-all.json");
        let set: serde_json::Value = serde_json::from_str(set).unwrap();
        let jwk = set["keys"].as_array().unwrap().iter().find(|key| key["kty"] == "RSA").unwrap();
        let number = |member: &str| {
            BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap())
        };
        RsaPublicKey::new(number("n"), number("e")).unwrap()
    }

    fn token(algorithm: jsonwebtoken::Algorithm, subject: &str) -> (String, Vec<u8>) {
        let pem = include_bytes!("../../../testdata/keys/rs256.pem");
        let key = jsonwebtoken::EncodingKey::from_rsa_pem(pem).unwrap();
        let header = jsonwebtoken::Header::new(algorithm);
        let token =
            jsonwebtoken::encode(&header, &serde_json::json!({"sub": subject}), &key).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        (signed.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn the_library_agrees(subject: String, place: prop::sample::Index, bit in 0_u32..8, other: Vec<u8>) {
            let key = key();
            let (signed, good) = token(jsonwebtoken::Algorithm::PS256, &subject);
            let mut changed = good.clone();
            changed[place.index(good.len())] ^= 1 << bit;
            let zero = vec![0; good.len()];
            let above = key.n().to_bytes_be();
            let longer = [&[0], &good[..]].concat();
            for signature in [&good, &changed, &zero, &above, &longer, &good[1..].to_vec(), &other] {
                let theirs = Signature::try_from(&signature[..]).is_ok_and(|signature| {
                    VerifyingKey::<Sha256>::new(key.clone()).verify(signed.as_bytes(), &signature).is_ok()
                });
                prop_assert_eq!(verify::<Sha256>(&key, signed.as_bytes(), signature), theirs);
            }
            prop_assert!(verify::<Sha256>(&key, signed.as_bytes(), &good));
            prop_assert!(!verify::<Sha384>(&key, signed.as_bytes(), &good));
        }

        #[test]
        fn no_encoding_panics(encoded: Vec<u8>, bits in 0_usize..600, signed: Vec<u8>) {
            let _ = is_encoding::<Sha256>(encoded.clone(), bits, &signed);
            let _ = is_encoding::<Sha512>(encoded, bits, &signed);
        }
    }

    #[test]
    fn other_hashes_verify() {
        let key = key();
        let (signed, good) = token(jsonwebtoken::Algorithm::PS384, "joe");
        assert!(verify::<Sha384>(&key, signed.as_bytes(), &good));
        let (signed, good) = token(jsonwebtoken::Algorithm::PS512, "joe");
        assert!(verify::<Sha512>(&key, signed.as_bytes(), &good));
    }
}
