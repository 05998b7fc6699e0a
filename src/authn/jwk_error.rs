//! Why a JSON Web Key can't be used.

use std::fmt;
use std::ops::RangeInclusive;

use super::algorithm::Algorithm;

/// Why a key can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwkError {
    /// The member that is at fault; empty for the key as a whole.
    pub member: &'static str,
    /// What is wrong with it.
    pub fault: JwkFault,
}

/// What is wrong with a key or one of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwkFault {
    /// `alg` names what the key can't be used with.
    Algorithm {
        /// What it names.
        found: String,
        /// What the key can be used with.
        fitting: &'static [Algorithm],
    },
    /// The key is for none of the `algorithms` of its provider.
    AlgorithmUnlisted,
    /// The RSA modulus is even.
    EvenModulus,
    /// The RSA exponent is even, too small or too large.
    Exponent(String),
    /// The member is not there.
    Missing,
    /// The RSA modulus is too short or too long.
    ModulusBits {
        /// Its length.
        found: usize,
        /// The lengths that are accepted.
        expected: RangeInclusive<usize>,
    },
    /// The key is not an object.
    NotAnObject,
    /// The member is not a string.
    NotAString,
    /// The member does not decode.
    NotBase64Url,
    /// The point is not on its curve.
    NotOnCurve,
    /// `key_ops` leaves `verify` out.
    Operations(String),
    /// The key can sign: so can everybody who reads the key set.
    PrivatePart,
    /// An issuer publishes the secret.
    PublishedSecret,
    /// The library for RSA refuses the key.
    Rsa,
    /// The provider does not list what the secret is for.
    SecretUnlisted,
    /// The secret is shorter than the least hash.
    ShortSecret,
    /// The member has too few or too many bytes.
    Size {
        /// How many it has.
        found: usize,
        /// How many it must have.
        expected: usize,
    },
    /// The member has another value than those that are known.
    Unexpected {
        /// Its value.
        found: String,
        /// The values that are known.
        expected: &'static str,
    },
    /// The point is not on Ed25519, or of small order.
    WeakPoint,
}

impl JwkError {
    /// Whether the fault is that the key can sign.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.fault == JwkFault::PrivatePart
    }
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for JwkError {}

impl fmt::Display for JwkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Algorithm { found, fitting } => {
                write!(f, "found `{found}`, expected one of ")?;
                return fitting.iter().enumerate().try_for_each(|(number, name)| {
                    write!(f, "{}`{name}`", if number == 0 { "" } else { ", " })
                });
            }
            Self::Exponent(found) => {
                return write!(f, "found {found}, expected an odd number from 3 to 2^33 - 1");
            }
            Self::ModulusBits { found, expected } => {
                let (least, most) = (expected.start(), expected.end());
                return write!(f, "found {found} bits, expected {least} to {most}");
            }
            Self::Operations(found) => {
                return write!(f, "found {found}, expected a list with `verify`");
            }
            Self::Size { found, expected } => {
                return write!(f, "found {found} bytes, expected {expected}");
            }
            Self::Unexpected { found, expected } => {
                return write!(f, "found `{found}`, expected {expected}");
            }
            Self::AlgorithmUnlisted => "found a key for none of the `algorithms`",
            Self::EvenModulus => "found an even modulus, expected an odd one",
            Self::Missing => "missing",
            Self::NotAnObject => "found a key that is not an object",
            Self::NotAString => "expected a string",
            Self::NotBase64Url => "expected base64url",
            Self::NotOnCurve => "found a point that is not on the curve",
            Self::PrivatePart => {
                "found a part of a private key: everybody who has read it can sign tokens; \
                 rotate the key at the issuer, and write the public key here"
            }
            Self::PublishedSecret => {
                "found a secret that everybody can read, expected a public key"
            }
            Self::Rsa => "found numbers that make no RSA key",
            Self::SecretUnlisted => {
                "found a secret, expected `algorithms` to list what it is for, such as `HS256`"
            }
            Self::ShortSecret => "found a secret of less than 32 bytes (RFC 7518 §3.2)",
            Self::WeakPoint => "found a point that is not on the curve, or of small order",
        })
    }
}
