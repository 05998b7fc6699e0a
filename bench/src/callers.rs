//! Files of tokens, one to a line, for the load generator: all minted before anything is measured,
//! because a signature takes as long as many requests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::forgery::Forgery;
use super::recipe::recipe;
use jwt_rbac_e2e::garbage::Garbage;
use jwt_rbac_e2e::tokens::Recipe;

/// What the callers of a run send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Callers {
    /// Tokens with this algorithm, signed by the key of this name, such as Auth0 issues.
    Signed {
        /// `RS256`
        algorithm: &'static str,
        /// `rs256`, in `testdata/keys`
        key: &'static str,
    },
    /// Tokens with RS256 that name so many groups that they have 8 KiB.
    Large,
    /// Tokens with RS256 whose signature has one wrong bit.
    Forged,
    /// Tokens that nobody has signed.
    Unsigned(Forgery),
    /// Three parts of random bytes.
    Garbage,
    /// No token.
    Anonymous,
}

impl Callers {
    /// Tokens with RS256.
    pub const RS256: Self = Self::Signed { algorithm: "RS256", key: "rs256" };
    /// Tokens with ES256.
    pub const ES256: Self = Self::Signed { algorithm: "ES256", key: "es256" };

    /// How many callers there are. With valid tokens, they are several times as many as the cache
    /// holds.
    pub fn count(self) -> usize {
        match self {
            Self::Signed { .. } => 10_000,
            Self::Large => 2_000,
            Self::Forged | Self::Unsigned(_) | Self::Garbage => 1_000,
            Self::Anonymous => 1,
        }
    }

    /// The token of one caller; empty if it sends none.
    fn token(self, number: usize) -> String {
        match self {
            Self::Signed { algorithm, key } => {
                Recipe { algorithm: Some(algorithm.to_owned()), ..recipe(number).key(key) }.mint()
            }
            Self::Large => recipe(number).claim("groups", groups(number)).mint(),
            Self::Forged => {
                Recipe { tamper: Some("signature".to_owned()), ..recipe(number) }.mint()
            }
            Self::Unsigned(forgery) => forgery.token(number),
            Self::Garbage => {
                let mut source = Garbage::new();
                let mut part = |length: usize| -> String {
                    let bytes = (0..length).map(|_| u8::try_from(source.below(256)).unwrap_or(0));
                    BASE64_URL_SAFE_NO_PAD.encode(bytes.collect::<Vec<_>>())
                };
                // The number makes each token different.
                let number = BASE64_URL_SAFE_NO_PAD.encode(number.to_be_bytes());
                format!("{}.{number}{}.{}", part(90), part(400), part(256))
            }
            Self::Anonymous => String::new(),
        }
    }

    /// Writes the file; returns its path and the tokens' mean size in bytes.
    ///
    /// # Errors
    ///
    /// Those of the file system.
    pub fn write(self, directory: &Path) -> io::Result<(PathBuf, usize)> {
        let name = format!("{self:?}").replace(|letter: char| !letter.is_alphanumeric(), "");
        let path = directory.join(name);
        let numbers: Vec<usize> = (0..self.count()).collect();
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let tokens: Vec<String> = thread::scope(|scope| {
            let chunks = numbers.chunks(numbers.len().div_ceil(workers));
            let minters: Vec<_> = chunks
                .map(|chunk| {
                    scope.spawn(move || {
                        chunk.iter().map(|&number| self.token(number)).collect::<Vec<_>>()
                    })
                })
                .collect();
            let minted = minters.into_iter().map(|minter| minter.join().expect("keys sign"));
            minted.flatten().collect()
        });
        let text = tokens.join("\n") + "\n";
        fs::write(&path, &text)?;
        Ok((path, text.len() / tokens.len() - 1))
    }
}

/// Groups as Entra ID names them.
fn groups(number: usize) -> Value {
    let group = |group: usize| format!("{number:08x}-91d4-4c5b-8a06-{group:012x}");
    (0..130).map(group).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_callers_send_the_same() {
        for callers in [Callers::ES256, Callers::Garbage] {
            let tokens = [callers.token(0), callers.token(1)];
            assert_ne!(tokens[0], tokens[1]);
            assert!(tokens.iter().all(|token| token.split('.').count() == 3));
        }
    }
}
