//! What is checked of many texts of a document.

use std::ops::RangeInclusive;

use super::duration::seconds;
use super::fault::Fault;
use super::place::Place;
use super::problem::Problems;
use jwt_rbac::by_name::ByName;

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
    check_texts(place, strings, problems);
}

/// No entry of a list is empty.
pub fn check_texts(place: &Place, strings: &[String], problems: &mut Problems) {
    for (index, _) in strings.iter().enumerate().filter(|(_, text)| text.is_empty()) {
        problems.error(place.index(index), Fault::EmptyText);
    }
}

/// The names of the entries of a list, each with the entry that has it.
#[derive(Debug, Default)]
pub struct UniqueNames(ByName<Place>);

impl UniqueNames {
    /// Adds a name that nobody wrote down.
    pub fn add_default(&mut self, name: &str, entry: &Place) {
        self.0.entry(name.as_bytes(), || entry.clone());
    }

    /// Adds a name that is written in an entry: no other may have it.
    pub fn add(&mut self, name: &str, entry: &Place, problems: &mut Problems) {
        if let Some(first) = self.0.insert(name.as_bytes(), entry.clone()) {
            let fault = Fault::Duplicate { name: name.to_owned(), first };
            problems.error(entry.field("name"), fault);
        }
    }
}

/// The seconds of a duration within bounds; `expected` says which.
pub fn bounded_duration(
    text: &str,
    bounds: RangeInclusive<u64>,
    expected: &'static str,
) -> Result<u64, Fault> {
    match seconds(text) {
        Ok(seconds) if bounds.contains(&seconds) => Ok(seconds),
        Ok(_) => Err(Fault::text(text, expected)),
        Err(problem) => Err(Fault::Duration { found: text.to_owned(), problem }),
    }
}

/// What Istio accepts as the name of a header.
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
