//! Durations and sizes, written as Go and Kubernetes write them.

use std::time::Duration;

/// Nanoseconds of the units that Go's `time.ParseDuration` knows.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration such as `60s`, `1h30m`, `500ms` or `0s`: whole numbers, each with its unit.
///
/// # Errors
/// What was found and what was expected.
fn duration(text: &str) -> Result<Duration, String> {
    let malformed = || format!("found `{text}`, expected a duration such as `60s` or `1h30m`");
    let mut nanoseconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(malformed)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end).ok_or_else(malformed)?;
        let &(_, factor) = UNITS.iter().find(|(known, _)| *known == unit).ok_or_else(malformed)?;
        nanoseconds = number
            .checked_mul(factor)
            .and_then(|added| nanoseconds.checked_add(added))
            .ok_or_else(malformed)?;
        rest = after;
    }
    if text.is_empty() { Err(malformed()) } else { Ok(Duration::from_nanos(nanoseconds)) }
}

/// Reads a duration of whole seconds.
///
/// # Errors
/// What was found and what was expected.
pub fn seconds(text: &str) -> Result<u64, String> {
    let duration = duration(text)?;
    match duration.subsec_nanos() {
        0 => Ok(duration.as_secs()),
        _ => Err(format!("found `{text}`, expected whole seconds")),
    }
}

/// Reads a size in bytes: `16384`, `16Ki` or `4Mi`.
///
/// # Errors
/// What was found and what was expected.
pub fn size(text: &str) -> Result<usize, String> {
    let malformed = || format!("found `{text}`, expected a size such as `16384`, `16Ki` or `4Mi`");
    let (number, unit) = split_number(text).ok_or_else(malformed)?;
    let factor = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        _ => return Err(malformed()),
    };
    let bytes = number.checked_mul(factor).ok_or_else(malformed)?;
    usize::try_from(bytes).map_err(|_| malformed())
}

/// The digits at the start of a text, and what follows them.
fn split_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, after) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("0s", 0.0), ("60s", 60.0), ("1h30m", 5_400.0), ("500ms", 0.5)] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        assert_eq!((seconds("1m1s"), seconds("1s500ms").is_err()), (Ok(61), true));
        for text in ["", "60", "s", "1.5s", "-1s", "1 s", "60S", "1d", "99999999999h", "1hm"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        for (text, bytes) in [("0", 0), ("16384", 16_384), ("16Ki", 16_384), ("4Mi", 4_194_304)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "Ki", "16K", "16ki", "-1", "1.5Mi", "4Gi", "99999999999999999999"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = (duration(&text), size(&text));
        }
    }
}
