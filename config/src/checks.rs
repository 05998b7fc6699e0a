//! What is checked of many texts of a document.

use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;

/// A name that people give, which logs and metrics show.
pub fn check_name(name: &str) -> Result<(), Fault> {
    let is_name_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=63).contains(&name.len()) && name.bytes().all(is_name_byte) {
        Ok(())
    } else {
        Err(Fault::text(name, "1 to 63 of A-Z a-z 0-9 . _ -"))
    }
}

/// A list has at least one entry, and no entry is empty.
pub fn check_strings(place: &Place, strings: &[String], problems: &mut Problems) {
    if strings.is_empty() {
        problems.error(place.clone(), Fault::EmptyList { expected: "at least one entry" });
    }
    for (index, _) in strings.iter().enumerate().filter(|(_, text)| text.is_empty()) {
        problems.error(place.index(index), Fault::EmptyText);
    }
}

/// What Istio accepts as the name of a header.
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
