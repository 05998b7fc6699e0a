//! What can be wrong with a key set.

use std::fmt;

use jwt_rbac::authn::jwk_error::JwkError;
use jwt_rbac::json::JsonError;

use crate::place::Place;

/// What is wrong with `jwks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetFault {
    /// The placeholder of this project's manifests.
    Placeholder,
    /// A text that is not JSON.
    Json(JsonError),
    /// A key that makes the whole set unusable.
    Key(JwkError),
    /// A key that can't be used, in a set that may have others.
    Skipped(JwkError),
    /// Each key was skipped.
    NoneUsable(Vec<(Place, JwkError)>),
    /// More keys could have signed a token than a request can pay for.
    NeverTried {
        /// The key id of all of them.
        id: Option<String>,
        /// How many are too many.
        count: usize,
    },
}

impl fmt::Display for KeySetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Placeholder => f.write_str(
                "found the placeholder: put the key set of your issuer here, the JSON that its \
                 `jwks_uri` serves (Auth0: https://TENANT/.well-known/jwks.json)",
            ),
            Self::Json(error) => write!(f, "expected a key set: {error}"),
            Self::Key(error) => error.fmt(f),
            Self::Skipped(error) => write!(f, "key skipped: {error}"),
            Self::NoneUsable(skipped) => {
                write!(f, "found no usable key among {}", skipped.len())?;
                skipped.iter().try_for_each(|(place, error)| write!(f, "; {place}: {error}"))
            }
            Self::NeverTried { id, count } => {
                let (name, id) = match id {
                    Some(id) => ("the `kid` ", id.as_str()),
                    None => ("no `kid`", ""),
                };
                write!(
                    f,
                    "found more keys of one kind with {name}{id} than a request may try: the last \
                     {count} are never tried on a token that any of the first could have signed"
                )
            }
        }
    }
}
