//! What can be wrong with a document: data, which becomes a sentence in one place.

pub mod key_set;
pub mod table;

use std::fmt;

use jwt_rbac::authn::claim_path::ClaimPathError;
use jwt_rbac::authn::http_url::HttpUrlError;
use jwt_rbac::authz::hosts::HostError;
use jwt_rbac::authz::policies::path::PathPatternError;
use jwt_rbac::authz::regex::RegexError;
use jwt_rbac::authz::template::TemplateError;
use jwt_rbac::json::{self, JsonError};
use serde_json::Value;

use self::key_set::KeySetFault;
use self::table::TableFault;
use super::duration::DurationProblem;
use super::place::Place;
use super::size::SizeProblem;

/// What is wrong at a place. As text it says what was found and what was expected: lower case, no full
/// stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A name that no field has.
    UnknownField {
        /// The name.
        name: String,
        /// The field that may be meant.
        nearest: Option<&'static str>,
        /// The fields that there are.
        known: &'static [&'static str],
    },
    /// A field that must be there is not.
    MissingField {
        /// Its name.
        name: &'static str,
    },
    /// A word that has no meaning there.
    UnknownWord {
        /// What is there.
        found: Found,
        /// The words that have one.
        words: &'static [&'static str],
    },
    /// A field of the specification that this version does not have.
    NotImplemented,
    /// A field of Istio's resources that does not belong into `pluginConfig`.
    Misplaced,
    /// The document is not JSON.
    Json(JsonError),
    /// Something else was expected.
    Expected {
        /// What is there; `None` where something is missing in the place.
        found: Option<Found>,
        /// What belongs there.
        expected: &'static str,
    },
    /// A list without entries.
    EmptyList {
        /// What belongs into it.
        expected: &'static str,
    },
    /// A text without characters.
    EmptyText,
    /// A value of the right form that can't be used there.
    Unsuitable {
        /// The value.
        found: String,
        /// How the sentence goes on.
        why: &'static str,
    },
    /// Two entries have one name.
    Duplicate {
        /// The name.
        name: String,
        /// The entry that had it first.
        first: Place,
    },
    /// Two things that rule each other out.
    Conflict {
        /// What is there; empty for all that is at the place.
        found: &'static str,
        /// What it can't be beside.
        with: &'static str,
        /// How the sentence goes on, from its comma or colon.
        why: &'static str,
    },
    /// Something that has no effect.
    Useless {
        /// The field that would give it one.
        without: &'static str,
        /// How the sentence goes on, from its comma.
        why: &'static str,
    },
    /// More than a document may have.
    TooMany {
        /// How many there are; `None` where nobody counted further.
        found: Option<usize>,
        /// Of what.
        of: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// No duration.
    Duration {
        /// The text.
        found: String,
        /// What is wrong with it.
        problem: DurationProblem,
    },
    /// No size.
    Size {
        /// The text.
        found: String,
        /// What is wrong with it.
        problem: SizeProblem,
    },
    /// No URL that keys are fetched from.
    Url {
        /// The text.
        found: String,
        /// What is wrong with it.
        error: HttpUrlError,
    },
    /// No claim.
    Claim(ClaimPathError),
    /// No host.
    Host(HostError),
    /// No path.
    Path(TemplateError),
    /// No path of a policy.
    PolicyPath(PathPatternError),
    /// No regular expression.
    Regex(RegexError),
    /// What is wrong with a key set.
    KeySet(KeySetFault),
    /// What is wrong with the table `routes`.
    Table(TableFault),
    /// An entry of `jwtRules` accepts tokens of any issuer.
    AnyIssuer,
    /// Two entries of `jwtRules` have some issuers in common.
    SharedIssuer {
        /// One of these.
        issuer: String,
        /// The other entry.
        other: Place,
    },
    /// A token could be meant for two locations.
    SharedLocation {
        /// The header that both look at.
        header: String,
        /// The entry of `jwtRules` that has the other.
        other: Place,
    },
    /// A token that a request needs beside others meets one of them.
    SharedToken {
        /// What the other entry does too.
        does: &'static str,
        /// Where.
        name: String,
        /// The other entry of `jwtRules`.
        other: Place,
    },
    /// A 404 that hides little, because a missing token gets a 401.
    HidesLittle,
}

/// What is there instead of what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: the place itself is missing.
    Missing,
    /// Something, in words.
    Words(&'static str),
    /// A string of the document.
    Text(String),
    /// Another value of the document.
    Value(Value),
}

impl Fault {
    /// Something is missing in the place.
    #[must_use]
    pub fn expected(expected: &'static str) -> Self {
        Self::Expected { found: None, expected }
    }

    /// Another string was expected.
    #[must_use]
    pub fn text(found: &str, expected: &'static str) -> Self {
        Self::found(Found::Text(found.to_owned()), expected)
    }

    /// Something else was expected.
    #[must_use]
    pub fn found(found: Found, expected: &'static str) -> Self {
        Self::Expected { found: Some(found), expected }
    }

    /// A value of the right form that can't be used there.
    #[must_use]
    pub fn unsuitable(found: &str, why: &'static str) -> Self {
        Self::Unsuitable { found: found.to_owned(), why }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { name, nearest, known } => {
                write!(f, "unknown field `{name}`, ")?;
                match nearest {
                    Some(nearest) => write!(f, "did you mean `{nearest}`?"),
                    None => one_of(f, known),
                }
            }
            Self::MissingField { name } => write!(f, "expected the field `{name}`"),
            Self::UnknownWord { found, words } => {
                write!(f, "{found}, ")?;
                one_of(f, words)
            }
            Self::NotImplemented => {
                f.write_str(concat!("not implemented in version ", env!("CARGO_PKG_VERSION")))
            }
            Self::Misplaced => f.write_str(
                "does not belong here: which workloads the filter is for is said in the resource \
                 around `pluginConfig`, as `metadata`, `spec.selector` or `spec.targetRefs` of the \
                 WasmPlugin; external providers (CUSTOM) are not supported",
            ),
            Self::Json(error) => write!(f, "{error}, expected a JSON object"),
            Self::Expected { found: None, expected } => write!(f, "expected {expected}"),
            Self::Expected { found: Some(found), expected } => {
                write!(f, "{found}, expected {expected}")
            }
            Self::EmptyList { expected } => write!(f, "found an empty list, expected {expected}"),
            Self::EmptyText => f.write_str("found an empty string"),
            Self::Unsuitable { found, why } => write!(f, "found `{found}`, {why}"),
            Self::Duplicate { name, first } => {
                write!(f, "found `{name}`, which is the name of {first} too")
            }
            Self::Conflict { found, with, why } => {
                let space = if found.is_empty() { "" } else { " " };
                write!(f, "found {found}{space}beside {with}{why}")
            }
            Self::Useless { without, why } => write!(f, "found without `{without}`{why}"),
            Self::TooMany { found: None, of, limit } => write!(f, "found more than {limit} {of}"),
            Self::TooMany { found: Some(found), of, limit } => {
                write!(f, "found {found} {of}, expected at most {limit}")
            }
            Self::Duration { found, problem } => write!(f, "found `{found}`, {problem}"),
            Self::Size { found, problem } => write!(f, "found `{found}`, {problem}"),
            Self::Url { found, error } => write!(f, "found `{found}`, {error}"),
            Self::Claim(error) => error.fmt(f),
            Self::Host(error) => error.fmt(f),
            Self::Path(error) => error.fmt(f),
            Self::PolicyPath(error) => error.fmt(f),
            Self::Regex(error) => error.fmt(f),
            Self::KeySet(fault) => fault.fmt(f),
            Self::Table(fault) => fault.fmt(f),
            Self::AnyIssuer => f.write_str(
                "no `issuer`: tokens of any issuer that no other entry names are accepted",
            ),
            Self::SharedLocation { header, other } => write!(
                f,
                "a token in `{header}` could be meant here and at {other}: one prefix begins with \
                 the other"
            ),
            Self::SharedIssuer { issuer, other } => write!(
                f,
                "tokens of `{issuer}` could be meant here and at {other}: list each issuer once, or \
                 the same ones in both"
            ),
            Self::SharedToken { does, name, other } => write!(
                f,
                "found `REQUIRED`, and {other} also {does} `{name}`, expected that no other entry does: \
                 a request has the tokens of both"
            ),
            Self::HidesLittle => f.write_str(
                "hides little beside `missingToken: {status: 401}`, which tells what there is",
            ),
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Words(words) => write!(f, "found {words}"),
            Self::Text(text) => write!(f, "found `{text}`"),
            Self::Value(Value::String(text)) => write!(f, "found the string `{text}`"),
            Self::Value(Value::Array(_)) => f.write_str("found a list"),
            Self::Value(Value::Object(_)) => f.write_str("found an object"),
            Self::Value(value) => write!(f, "found {}", json::written(value)),
        }
    }
}

/// How many names an error lists.
const MAX_LISTED: usize = 10;

/// The names that would be right, the first of them if they are many.
fn one_of(f: &mut fmt::Formatter<'_>, names: &[&str]) -> fmt::Result {
    f.write_str("expected one of ")?;
    let mut comma = "";
    for name in names.iter().take(MAX_LISTED) {
        write!(f, "{comma}`{name}`")?;
        comma = ", ";
    }
    match names.len().saturating_sub(MAX_LISTED) {
        0 => Ok(()),
        more => write!(f, " or {more} more: see docs/configuration.md"),
    }
}

impl From<ClaimPathError> for Fault {
    fn from(error: ClaimPathError) -> Self {
        Self::Claim(error)
    }
}

impl From<HostError> for Fault {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<TemplateError> for Fault {
    fn from(error: TemplateError) -> Self {
        Self::Path(error)
    }
}

impl From<KeySetFault> for Fault {
    fn from(fault: KeySetFault) -> Self {
        Self::KeySet(fault)
    }
}

impl From<TableFault> for Fault {
    fn from(fault: TableFault) -> Self {
        Self::Table(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_sentences() {
        let conflict =
            |found| Fault::Conflict { found, with: "`x`", why: ", expected one of both" };
        for (fault, sentence) in [
            (Fault::expected("a list"), "expected a list"),
            (Fault::text("a", "a number"), "found `a`, expected a number"),
            (Fault::found(Found::Value(7.into()), "403"), "found 7, expected 403"),
            (Fault::found(Found::Missing, "a list"), "missing, expected a list"),
            (
                Fault::found(Found::Value("7".into()), "a number"),
                "found the string `7`, expected a number",
            ),
            (
                Fault::UnknownWord { found: Found::Text("c".to_owned()), words: &["A", "B"] },
                "found `c`, expected one of `A`, `B`",
            ),
            (
                Fault::UnknownField { name: "x".to_owned(), nearest: None, known: &["a"; 12] },
                "unknown field `x`, expected one of `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a`, `a` \
                 or 2 more: see docs/configuration.md",
            ),
            (conflict(""), "found beside `x`, expected one of both"),
            (conflict("`MATCH`"), "found `MATCH` beside `x`, expected one of both"),
            (
                Fault::TooMany { found: Some(201), of: "routes", limit: 200 },
                "found 201 routes, expected at most 200",
            ),
            (
                Fault::Size { found: "1K".to_owned(), problem: SizeProblem },
                "found `1K`, expected a size such as `16384`, `16Ki` or `4Mi`",
            ),
            (
                TableFault::AsksLess { than: vec!["a".to_owned(), "b".to_owned()], more: 1 }.into(),
                "asks less than `a`, `b`, 1 more, whose paths it can have in an ambiguous \
                 spelling, because of `ambiguousPaths: MATCH`",
            ),
        ] {
            assert_eq!(fault.to_string(), sentence);
        }
    }
}
