//! What a check of a signature costs, and how much of that one request may cause.
//!
//! A client chooses how often its requests are refused, so what a refused request costs is bounded
//! whatever the key set: about 2.5 ms of CPU, and 0.3 ms where all keys are cheap ones.

use rsa::traits::PublicKeyParts as _;

use super::algorithm::Algorithm;
use super::elliptic_curve::Curve;
use super::jwk::VerificationKey;

/// Who does the work of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedBy {
    /// Envoy's `verify_signature`.
    Envoy,
    /// The filter itself, in its VM.
    Wasm,
}

/// What one check costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The part that does not depend on the size of what is signed, in microseconds.
    base: u32,
    /// For each KiB that is signed, in microseconds.
    per_kibibyte: u32,
    /// Whether Envoy checks it, and the key is one of those that nearly every issuer has: RSA of 2048
    /// bits, or P-256.
    is_cheap: bool,
}

/// What a request may still spend on checks, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    all: u32,
    cheap: u32,
}

impl Default for Budget {
    fn default() -> Self {
        // The rest of 2.5 and 0.3 ms is for everything but the checks.
        Self { all: 2_350, cheap: 270 }
    }
}

impl Budget {
    /// Pays for a check of this many signed bytes; `false` if that is too much, and nothing is paid.
    pub fn pay(&mut self, price: Price, signed: usize) -> bool {
        let kibibytes = u32::try_from(signed / 1_024).unwrap_or(u32::MAX);
        let price_of_all = price.per_kibibyte.saturating_mul(kibibytes).saturating_add(price.base);
        let cheap = if price.is_cheap { price_of_all } else { 0 };
        let (Some(all), Some(cheap)) =
            (self.all.checked_sub(price_of_all), self.cheap.checked_sub(cheap))
        else {
            return false;
        };
        *self = Self { all, cheap };
        true
    }

    /// What was paid since the budget was full, in microseconds.
    #[must_use]
    pub fn spent(&self) -> u32 {
        Self::default().all.saturating_sub(self.all)
    }
}

impl Price {
    /// The part that does not depend on the size of what is signed, in microseconds.
    #[must_use]
    pub fn base(&self) -> u32 {
        self.base
    }

    /// The price of a check with this key, as measured in Envoy (`make bench-all`, "Refused requests
    /// that cost most").
    #[must_use]
    pub fn new(key: &VerificationKey, algorithm: Algorithm, checked_by: CheckedBy) -> Self {
        let is_cheap = checked_by == CheckedBy::Envoy
            && match key {
                VerificationKey::EllipticCurve(point) => point.curve() == Curve::P256,
                VerificationKey::Rsa(key) => rsa_bits(key) <= 2_048,
                VerificationKey::Ed25519(_) | VerificationKey::Secret(_) => false,
            };
        let base = match (key, checked_by) {
            (VerificationKey::Secret(_), _) => 3,
            (VerificationKey::Ed25519(_), _) => 140,
            (VerificationKey::Rsa(key), CheckedBy::Envoy) => rsa(key, 30),
            (VerificationKey::Rsa(key), CheckedBy::Wasm) if algorithm.is_pss() => rsa(key, 340),
            (VerificationKey::Rsa(key), CheckedBy::Wasm) => rsa(key, 700),
            (VerificationKey::EllipticCurve(point), checked_by) => {
                match (point.curve(), checked_by) {
                    (Curve::P256, CheckedBy::Envoy) => 70,
                    (Curve::P256, CheckedBy::Wasm) => 950,
                    (Curve::P384, _) => 620,
                    (Curve::P521, _) => 1_400,
                }
            }
        };
        let per_kibibyte = match (checked_by, algorithm) {
            (CheckedBy::Envoy, _) => 2,
            (CheckedBy::Wasm, Algorithm::EdDsa) => 10,
            (CheckedBy::Wasm, _) => 6,
        };
        Self { base, per_kibibyte, is_cheap }
    }
}

/// The price of an RSA check, from that with 2048 bits and the usual exponent 65537: it grows with
/// the square of the modulus, and with each bit of the exponent.
fn rsa(key: &rsa::RsaPublicKey, usual: u32) -> u32 {
    /// Squarings and multiplications for 65537.
    const USUAL_STEPS: u64 = 17;
    let bits = u64::from(rsa_bits(key).max(2_048));
    let exponent = key.e().to_bytes_le();
    let ones: u32 = exponent.iter().map(|byte| byte.count_ones()).sum();
    let steps = u64::try_from(key.e().bits())
        .unwrap_or(u64::MAX)
        .saturating_add(ones.into())
        .saturating_sub(2)
        .max(USUAL_STEPS);
    let size = bits.saturating_mul(bits);
    let price = u64::from(usual).saturating_mul(size).saturating_mul(steps);
    u32::try_from(price / (2_048 * 2_048 * USUAL_STEPS)).unwrap_or(u32::MAX)
}

fn rsa_bits(key: &rsa::RsaPublicKey) -> u32 {
    u32::try_from(key.n().bits()).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "the numbers are small")]
mod tests {
    use proptest::prelude::*;
    use rsa::{BigUint, RsaPublicKey};

    use super::*;
    use crate::authn::jwk::Jwk;

    /// No refused request may cost more, in microseconds; what is left of it is for all but the
    /// checks.
    const BOUND: u32 = 2_500;
    const CHEAP_BOUND: u32 = 300;

    fn rsa_key(bits: usize, exponent: u64) -> VerificationKey {
        let modulus = (BigUint::from(1_u8) << (bits - 1)) + BigUint::from(1_u8);
        let exponent = BigUint::from(exponent);
        VerificationKey::Rsa(RsaPublicKey::new_with_max_size(modulus, exponent, 8_192).unwrap())
    }

    fn public_key(jwk: &str) -> VerificationKey {
        let jwk = serde_json::from_str(jwk).unwrap();
        Jwk::parse(&jwk, Some(Algorithm::ALL)).unwrap().key
    }

    /// A key of every kind that a set can hold.
    fn keys() -> Vec<VerificationKey> {
        let set = include_str!("../../testdata/jwks-all.json");
        let set: serde_json::Value = serde_json::from_str(set).unwrap();
        let published = set["keys"].as_array().unwrap().iter();
        let mut keys: Vec<_> = published.map(|jwk| public_key(&jwk.to_string())).collect();
        for bits in [2_048, 2_049, 3_072, 4_096, 8_192] {
            keys.extend([3, 65_537, (1 << 33) - 1].map(|exponent| rsa_key(bits, exponent)));
        }
        keys.push(VerificationKey::Secret(vec![7; 64]));
        keys
    }

    #[test]
    fn prices_grow_with_the_key() {
        let price = |bits, exponent| {
            Price::new(&rsa_key(bits, exponent), Algorithm::Rs256, CheckedBy::Envoy).base
        };
        assert_eq!(price(4_096, 65_537), 4 * price(2_048, 65_537));
        assert!(price(2_048, (1 << 33) - 1) > 3 * price(2_048, 65_537));
        assert_eq!(price(2_048, 3), price(2_048, 65_537));
    }

    #[test]
    fn every_key_can_be_tried_where_envoy_checks_what_it_can() {
        for key in keys() {
            for &algorithm in key.algorithms() {
                let checked_by =
                    if algorithm.is_known_to_envoy() { CheckedBy::Envoy } else { CheckedBy::Wasm };
                let usual = match &key {
                    VerificationKey::Rsa(key) => *key.e() == BigUint::from(65_537_u32),
                    _ => true,
                };
                let price = Price::new(&key, algorithm, checked_by);
                let is_paid = Budget::default().pay(price, 2_000);
                assert!(is_paid || !usual, "{algorithm:?} {price:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_key_set_makes_a_request_dear(
            picks in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 0..60),
            signed in 0_usize..32_768,
        ) {
            let keys = keys();
            let mut budget = Budget::default();
            let (mut spent, mut spent_on_cheap) = (0, 0);
            for (key, algorithm, is_in_wasm) in picks {
                let key = key.get(&keys);
                let algorithm = *algorithm.get(key.algorithms());
                let is_in_wasm = is_in_wasm || !algorithm.is_known_to_envoy();
                let checked_by = if is_in_wasm { CheckedBy::Wasm } else { CheckedBy::Envoy };
                let price = Price::new(key, algorithm, checked_by);
                if budget.pay(price, signed) {
                    spent += price.base;
                    spent_on_cheap += if price.is_cheap { price.base } else { 0 };
                }
            }
            prop_assert!(spent < BOUND && spent_on_cheap < CHEAP_BOUND);
            prop_assert!(spent <= budget.spent());
        }
    }
}
