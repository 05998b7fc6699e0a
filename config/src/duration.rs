//! Durations as Go's `time.ParseDuration` reads them: `90s`, `15m`, `1h30m`, `1.5h`, `-5m`. As everywhere in
//! jwt-rbac a bare number is refused, `0` too.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a digit times the nanoseconds of an hour is small, and no divisor is zero"
)]

use std::fmt;

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationProblem {
    /// It is not made of numbers and units.
    Form,
    /// It is no whole number of seconds.
    Fraction,
    /// Go's type can't hold it.
    Range,
}

impl fmt::Display for DurationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected a number and a unit, such as `90s`, `15m` or `1h30m`",
            Self::Fraction => "expected whole seconds: the times of tokens are counted in them",
            Self::Range => "expected at most 292 years",
        })
    }
}

impl std::error::Error for DurationProblem {}

/// The seconds in `text`, which is no negative duration.
///
/// # Errors
/// When it is one, or none at all.
pub fn seconds(text: &str) -> Result<u64, DurationProblem> {
    parse_seconds(text)
        .and_then(|seconds| u64::try_from(seconds).map_err(|_| DurationProblem::Form))
}

/// The seconds in `text`.
///
/// # Errors
///
/// When `text` is no duration, no whole number of seconds, or more than Go's type can hold.
pub fn parse_seconds(text: &str) -> Result<i64, DurationProblem> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return Err(DurationProblem::Form);
    }
    let mut sum: i64 = 0;
    while !rest.is_empty() {
        let (term, after) = first_term(rest)?;
        sum = sum.checked_add(term).ok_or(DurationProblem::Range)?;
        rest = after;
    }
    if sum % 1_000_000_000 != 0 {
        return Err(DurationProblem::Fraction);
    }
    Ok(sign * (sum / 1_000_000_000))
}

/// The nanoseconds of the number and unit that `text` starts with, and what follows them. Go counts them in 64
/// bits.
fn first_term(text: &str) -> Result<(i64, &str), DurationProblem> {
    let in_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, rest) = text.split_at(text.find(|c| !in_number(c)).unwrap_or(text.len()));
    let (unit, rest) = rest.split_at(rest.find(in_number).unwrap_or(rest.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(DurationProblem::Form);
    }
    let unit = nanoseconds_in(unit)?;
    // From the last digit to the first: what is rounded off on the way is less than a nanosecond, as in Go.
    let part =
        fraction.bytes().rev().fold(0, |part, digit| (part + i64::from(digit - b'0') * unit) / 10);
    let whole = if whole.is_empty() { Ok(0) } else { whole.parse::<i64>() };
    let whole = whole.ok().and_then(|whole| whole.checked_mul(unit)?.checked_add(part));
    Ok((whole.ok_or(DurationProblem::Range)?, rest))
}

fn nanoseconds_in(unit: &str) -> Result<i64, DurationProblem> {
    match unit {
        "ns" => Ok(1),
        // The micro sign and the Greek letter, as in Go.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(1_000),
        "ms" => Ok(1_000_000),
        "s" => Ok(1_000_000_000),
        "m" => Ok(60_000_000_000),
        "h" => Ok(3_600_000_000_000),
        _ => Err(DurationProblem::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        let cases = [
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5_400),
            ("-5m", -300),
            ("+5m", 300),
            ("1.5h", 5_400),
            (".5h", 1_800),
            ("1.h", 3_600),
            ("0s", 0),
            ("-1h0m1s", -3_601),
            ("1500ms500ms", 2),
            ("1000000us", 1),
            ("1000000\u{b5}s1000000\u{3bc}s", 2),
            ("1000000000ns", 1),
            ("2562047h47m16s", 9_223_372_036),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse_seconds(text), Ok(seconds), "{text}");
        }
        let many_digits = format!("1.{}9s", "0".repeat(60));
        assert_eq!(parse_seconds(&many_digits), Ok(1));
    }

    #[test]
    fn refuses_everything_else() {
        let forms = [
            "", "-", "+", "0", "60", "h", ".h", "1..5h", "1.2.3h", "--5m", "5m-", "1d", "1 h",
            "1H", "five", "é",
        ];
        for text in forms {
            assert_eq!(parse_seconds(text), Err(DurationProblem::Form), "{text}");
        }
        for text in ["1ms", "1.5s", "0.1ns1h1ns"] {
            assert_eq!(parse_seconds(text), Err(DurationProblem::Fraction), "{text}");
        }
        for text in ["2562048h", "2562047h47m17s", "99999999999999999999s"] {
            assert_eq!(parse_seconds(text), Err(DurationProblem::Range), "{text}");
        }
    }
}
