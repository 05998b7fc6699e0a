//! A number with six decimals, as C's `%f` writes it.
//!
//! The formatter of the standard library writes the same, and takes 14 KB of the module for it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "each bound is said where it matters, and doubles have 53 bits and exponents below 1024"
)]

use std::fmt::Write as _;

/// Bits of a double's fraction (IEEE 754 binary64).
const FRACTION_BITS: u32 = 52;
/// What is added to its exponent, for a fraction that counts as a whole number.
const BIAS: i32 = 1_075;
/// How many decimals there are, as a factor.
const DECIMALS: u64 = 1_000_000;
/// Large numbers are written in groups of nine digits.
const GROUP: u64 = 1_000_000_000;

/// A finite number with six decimals; halves are rounded to even.
pub fn six_decimals(value: f64) -> String {
    let bits = value.abs().to_bits();
    let exponent = (bits >> FRACTION_BITS) as i32;
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << FRACTION_BITS };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let power = exponent.max(1) - BIAS;
    if power >= 0 {
        return format!("{sign}{}.000000", doubled(mantissa, power.unsigned_abs()));
    }
    let exponent = power.unsigned_abs();
    let whole = mantissa.checked_shr(exponent).unwrap_or(0);
    let millionths = millionths(mantissa - whole.checked_shl(exponent).unwrap_or(0), exponent);
    // All nines are rounded to a whole.
    let whole = whole + millionths / DECIMALS;
    format!("{sign}{whole}.{:06}", millionths % DECIMALS)
}

/// The nearest whole number of millionths to `part` / 2^`exponent`, which is less than 1.
fn millionths(part: u64, exponent: u32) -> u64 {
    // Less than 2^73.
    let exact = u128::from(part) * u128::from(DECIMALS);
    let Some(whole) = exact.checked_shr(exponent) else { return 0 };
    let rest = exact - (whole << exponent);
    let half = 1 << (exponent - 1);
    whole as u64 + u64::from(rest > half || rest == half && whole & 1 == 1)
}

/// The decimal digits of `mantissa` · 2^`exponent`.
fn doubled(mantissa: u64, exponent: u32) -> String {
    let mut groups = vec![mantissa % GROUP, mantissa / GROUP];
    for _ in 0..exponent {
        let mut carry = 0;
        for group in &mut groups {
            let doubled = *group * 2 + carry;
            *group = doubled % GROUP;
            carry = doubled / GROUP;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let mut groups = groups.iter().rev().skip_while(|group| **group == 0);
    let mut digits = groups.next().map_or_else(|| "0".to_owned(), u64::to_string);
    for group in groups {
        let _ = write!(digits, "{group:09}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_rounded_as_by_the_standard_library() {
        for value in [
            0.0,
            -0.0,
            1.0,
            1.5,
            -5.0,
            0.000_000_5,
            0.000_001_5,
            0.000_002_5,
            0.1,
            123_456.789,
            1e15,
            1e21,
            1e300,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            9_007_199_254_740_993.0,
        ] {
            assert_eq!(six_decimals(value), format!("{value:.6}"), "{value:e}");
        }
    }

    proptest! {
        #[test]
        fn any_number_is(bits: u64, exponent in 990_u64..1_140, near in -1e9..1e9) {
            // Most numbers with random bits are far too large or small to have decimals.
            let common = f64::from_bits(bits & !(0x7ff << 52) | exponent << 52);
            for value in [f64::from_bits(bits), common, near, near.round() / 8.0 / 1e6] {
                if value.is_finite() {
                    prop_assert_eq!(six_decimals(value), format!("{:.6}", value));
                }
            }
        }
    }
}
