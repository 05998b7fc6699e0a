//! Sizes, written as Kubernetes writes them.

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
