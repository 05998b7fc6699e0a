//! Points of the curves P-256, P-384 and P-521, and whether they are on the curve.
//!
//! Envoy checks the signatures. Whether a key is acceptable has to be the same on every host, and
//! that takes no more than the equation of the curve: a library for each curve would add a quarter
//! to the size of the module.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "the numbers are of any size, none is divided by zero and no difference is negative"
)]

use rsa::BigUint;

/// A curve of RFC 7518 §6.2.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            _ => None,
        }
    }

    /// The size of a coordinate, and of each half of a signature, in bytes (RFC 7518 §3.4).
    #[must_use]
    pub fn field_size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The prime of the field and the coefficient b of y² = x³ − 3x + b (SP 800-186 §3.2.1).
    fn prime_and_b(self) -> (BigUint, BigUint) {
        let power = |exponent: usize| BigUint::from(1_u8) << exponent;
        let prime = match self {
            Self::P256 => power(256) + power(192) + power(96) - power(224) - power(0),
            Self::P384 => power(384) + power(32) - power(128) - power(96) - power(0),
            Self::P521 => power(521) - power(0),
        };
        let b: &[u8] = match self {
            Self::P256 => &P256_B,
            Self::P384 => &P384_B,
            Self::P521 => &P521_B,
        };
        (prime, BigUint::from_bytes_be(b))
    }
}

/// A point that is on its curve and not the one at infinity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    curve: Curve,
    uncompressed: Vec<u8>,
}

/// The first byte of a point with both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

impl Point {
    /// The point with these coordinates, big-endian and of the full size of the field; `None` if it
    /// is not on the curve.
    #[must_use]
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Option<Self> {
        let size = curve.field_size();
        let (prime, b) = curve.prime_and_b();
        let [x_number, y_number] = [x, y].map(BigUint::from_bytes_be);
        if x.len() != size || y.len() != size || x_number >= prime || y_number >= prime {
            return None;
        }
        // y² = x³ − 3x + b, with the subtraction moved to the other side.
        let left = &y_number * &y_number + BigUint::from(3_u8) * &x_number;
        let right = &x_number * &x_number * &x_number + b;
        let uncompressed = [&[UNCOMPRESSED], x, y].concat();
        (left % &prime == right % &prime).then_some(Self { curve, uncompressed })
    }

    /// Its curve.
    #[must_use]
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// Both coordinates, as SEC 1 §2.3.3 writes them without compression.
    #[must_use]
    pub fn uncompressed(&self) -> &[u8] {
        &self.uncompressed
    }
}

const P256_B: [u8; 32] = [
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc,
    0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
];

const P384_B: [u8; 48] = [
    0xb3, 0x31, 0x2f, 0xa7, 0xe2, 0x3e, 0xe7, 0xe4, 0x98, 0x8e, 0x05, 0x6b, 0xe3, 0xf8, 0x2d, 0x19,
    0x18, 0x1d, 0x9c, 0x6e, 0xfe, 0x81, 0x41, 0x12, 0x03, 0x14, 0x08, 0x8f, 0x50, 0x13, 0x87, 0x5a,
    0xc6, 0x56, 0x39, 0x8d, 0x8a, 0x2e, 0xd1, 0x9d, 0x2a, 0x85, 0xc8, 0xed, 0xd3, 0xec, 0x2a, 0xef,
];

const P521_B: [u8; 66] = [
    0x00, 0x51, 0x95, 0x3e, 0xb9, 0x61, 0x8e, 0x1c, 0x9a, 0x1f, 0x92, 0x9a, 0x21, 0xa0, 0xb6, 0x85,
    0x40, 0xee, 0xa2, 0xda, 0x72, 0x5b, 0x99, 0xb3, 0x15, 0xf3, 0xb8, 0xb4, 0x89, 0x91, 0x8e, 0xf1,
    0x09, 0xe1, 0x56, 0x19, 0x39, 0x51, 0xec, 0x7e, 0x93, 0x7b, 0x16, 0x52, 0xc0, 0xbd, 0x3b, 0xb1,
    0xbf, 0x07, 0x35, 0x73, 0xdf, 0x88, 0x3d, 0x2c, 0x34, 0xf1, 0xef, 0x45, 0x1f, 0xd4, 0x6b, 0x50,
    0x3f, 0x00,
];

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::sec1::ToEncodedPoint as _;
    use proptest::prelude::*;

    use super::*;

    /// A multiple of the generator, from a library.
    macro_rules! multiple {
        ($library:ident, $curve:expr, $factor:expr) => {{
            let mut secret = vec![0; $curve.field_size() - 8];
            secret.extend(u64::to_be_bytes($factor));
            let key = $library::SecretKey::from_slice(&secret).unwrap().public_key();
            key.to_encoded_point(false).as_bytes().to_vec()
        }};
    }

    fn is_point(curve: Curve, uncompressed: &[u8]) -> bool {
        let (x, y) = uncompressed[1..].split_at(curve.field_size());
        Point::new(curve, x, y).is_some_and(|point| point.uncompressed() == uncompressed)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn libraries_agree(factor in 1_u64.., position: prop::sample::Index, change in 1_u8..) {
            let points = [
                (Curve::P256, multiple!(p256, Curve::P256, factor)),
                (Curve::P384, multiple!(p384, Curve::P384, factor)),
                (Curve::P521, multiple!(p521, Curve::P521, factor)),
            ];
            for (curve, point) in points {
                prop_assert!(is_point(curve, &point));
                let mut changed = point.clone();
                changed[1 + position.index(point.len() - 1)] ^= change;
                let expected = match curve {
                    Curve::P256 => p256::PublicKey::from_sec1_bytes(&changed).is_ok(),
                    Curve::P384 => p384::PublicKey::from_sec1_bytes(&changed).is_ok(),
                    Curve::P521 => p521::PublicKey::from_sec1_bytes(&changed).is_ok(),
                };
                prop_assert_eq!(is_point(curve, &changed), expected);
            }
        }
    }

    #[test]
    fn coordinates_are_below_the_prime_and_of_full_size() {
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let (prime, _) = curve.prime_and_b();
            let size = curve.field_size();
            let mut prime = prime.to_bytes_be();
            prime.splice(0..0, vec![0; size - prime.len()]);
            assert_eq!(Point::new(curve, &prime, &prime), None);
            assert_eq!(Point::new(curve, &vec![0; size], &vec![0; size]), None);
            assert_eq!(Point::new(curve, &[], &[]), None);
        }
    }
}
