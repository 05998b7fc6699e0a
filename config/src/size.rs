//! Sizes, written as Kubernetes writes them.

use std::fmt;

/// A text that is no size, or more than memory can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeProblem;

impl fmt::Display for SizeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a size such as `16384`, `16Ki` or `4Mi`")
    }
}

impl std::error::Error for SizeProblem {}

/// Reads a size in bytes: `16384`, `16Ki` or `4Mi`.
///
/// # Errors
/// When `text` is none.
pub fn size(text: &str) -> Result<usize, SizeProblem> {
    let (number, unit) = split_number(text).ok_or(SizeProblem)?;
    let factor = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        _ => return Err(SizeProblem),
    };
    let bytes = number.checked_mul(factor).ok_or(SizeProblem)?;
    usize::try_from(bytes).map_err(|_| SizeProblem)
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
            let _ = size(&text);
        }
    }
}
