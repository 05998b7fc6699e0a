//! What can be wrong with the table `routes` and no other list.

use std::fmt;

use jwt_rbac::authz::trie::MAX_VISITS;

/// What is wrong with a route, or with the table as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableFault {
    /// A route needs a token, and nobody's tokens are accepted.
    NoIssuer,
    /// A claim is compared with a variable that the path does not have as one segment.
    NoVariable {
        /// The name of the variable.
        name: String,
    },
    /// A public route denies nobody, so it has no dry run.
    DeniesNobody,
    /// A route that is not public says what becomes of its token.
    VerifiesToken,
    /// Other routes have the same host, path and method.
    SharedKey {
        /// Their names.
        others: Vec<String>,
    },
    /// An ambiguous path can have this route instead of a stricter one.
    AsksLess {
        /// The names of stricter routes.
        than: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// The table would take too much memory.
    TooManyKeys {
        /// How many combinations of host, path and method there may be.
        limit: usize,
    },
    /// One lookup would take too long.
    SlowLookup {
        /// How many segments it could try.
        visits: usize,
    },
}

impl fmt::Display for TableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str("needs a token, but no entry of `jwtRules` accepts any"),
            Self::NoVariable { name } => write!(
                f,
                "expected the variable `{{{name}}}` as one segment, because `claims` compares with it"
            ),
            Self::DeniesNobody => {
                f.write_str("found on a route that is `access: PUBLIC`, which denies nobody")
            }
            Self::VerifiesToken => f.write_str(
                "found on a route that is not `access: PUBLIC`, whose token is always verified",
            ),
            Self::SharedKey { others } => {
                f.write_str("shares host, path and method with ")?;
                list(f, others)?;
                f.write_str(", expected one route for each")
            }
            Self::AsksLess { than, more } => {
                f.write_str("asks less than ")?;
                list(f, than)?;
                if *more > 0 {
                    write!(f, ", {more} more")?;
                }
                f.write_str(
                    ", whose paths it can have in an ambiguous spelling, because of \
                     `ambiguousPaths: MATCH`",
                )
            }
            Self::TooManyKeys { limit } => write!(
                f,
                "found more than {limit} combinations of host, path and method, which take too much \
                 memory: list fewer of them in one route"
            ),
            Self::SlowLookup { visits } => write!(
                f,
                "found paths of which one lookup could try {visits} segments, expected at most \
                 {MAX_VISITS}: fewer routes that have a literal where others have a variable"
            ),
        }
    }
}

/// The names, each in backticks, with commas between them.
fn list(f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    let mut comma = "";
    for name in names {
        write!(f, "{comma}`{name}`")?;
        comma = ", ";
    }
    Ok(())
}
