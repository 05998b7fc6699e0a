//! The kinds of keys that the tool signs with, known by the object identifiers of the key, and the algorithms
//! that fit each.

use std::fmt;

use jwt_rbac::authn::algorithm::Algorithm;
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};

use super::KeyProblem;

/// A kind of key that can sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
    /// Bytes that both sides know.
    Secret,
}

impl Kind {
    /// The kind that a key in PKCS#8 or `SubjectPublicKeyInfo` says it has.
    ///
    /// # Errors
    ///
    /// When it is none of these.
    pub fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Self, KeyProblem> {
        match identifier.oid {
            RSA => Ok(Self::Rsa),
            ED25519 => Ok(Self::Ed25519),
            // Without a curve the parameters are explicit, which RFC 5480 forbids.
            EC => match identifier.parameters_oid().map_err(|_| KeyProblem::Damaged)? {
                P256 => Ok(Self::P256),
                P384 => Ok(Self::P384),
                P521 => Ok(Self::P521),
                other => Err(KeyProblem::Kind(name(other))),
            },
            other => Err(KeyProblem::Kind(name(other))),
        }
    }

    /// `requested` if it fits, the default if nothing was requested.
    ///
    /// # Errors
    ///
    /// When `requested` does not fit.
    pub fn algorithm(self, requested: Option<Algorithm>) -> Result<Algorithm, KeyProblem> {
        match requested {
            None => Ok(self.default_algorithm()),
            Some(algorithm) if self.algorithms().contains(&algorithm) => Ok(algorithm),
            Some(requested) => Err(KeyProblem::Algorithm { requested, kind: self }),
        }
    }

    /// The algorithm that issuers use with such a key unless told otherwise.
    pub fn default_algorithm(self) -> Algorithm {
        match self {
            Self::Rsa => Algorithm::Rs256,
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Ed25519 => Algorithm::EdDsa,
            Self::Secret => Algorithm::Hs256,
        }
    }

    /// All algorithms that fit (RFC 7518 §3.1, RFC 8037 §3.1).
    pub fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Rsa => &[
                Algorithm::Rs256,
                Algorithm::Rs384,
                Algorithm::Rs512,
                Algorithm::Ps256,
                Algorithm::Ps384,
                Algorithm::Ps512,
            ],
            Self::P256 => &[Algorithm::Es256],
            Self::P384 => &[Algorithm::Es384],
            Self::P521 => &[Algorithm::Es512],
            Self::Ed25519 => &[Algorithm::EdDsa],
            Self::Secret => &[Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512],
        }
    }

    /// The `crv` of a JWK; empty for RSA and secrets, which have none.
    pub fn curve(self) -> &'static str {
        match self {
            Self::Rsa | Self::Secret => "",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Ed25519 => "Ed25519",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa => "RSA",
            Self::Secret => "oct (a secret)",
            _ => self.curve(),
        })
    }
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The usual names of kinds that are not supported.
fn name(identifier: ObjectIdentifier) -> String {
    let number = identifier.to_string();
    match number.as_str() {
        "1.2.840.113549.1.1.10" => "RSA-PSS".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        "1.3.101.110" => "X25519".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        _ => format!("object identifier {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ALGORITHMS;
    use super::*;

    #[test]
    fn the_names_offered_are_the_algorithms_that_fit_some_kind() {
        let kinds = [Kind::Rsa, Kind::P256, Kind::P384, Kind::P521, Kind::Ed25519, Kind::Secret];
        let fitting: Vec<Algorithm> =
            kinds.iter().flat_map(|kind| kind.algorithms()).copied().collect();
        let offered: Vec<Algorithm> =
            ALGORITHMS.iter().map(|name| Algorithm::from_name(name).unwrap()).collect();
        assert_eq!(offered, fitting);
    }

    #[test]
    fn the_default_fits() {
        for kind in [Kind::Rsa, Kind::P256, Kind::P384, Kind::P521, Kind::Ed25519, Kind::Secret] {
            assert!(kind.algorithms().contains(&kind.default_algorithm()), "{kind}");
        }
    }
}
