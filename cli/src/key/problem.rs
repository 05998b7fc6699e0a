//! What can be wrong with a key file, each with the command that fixes it. The messages say what
//! kind of thing a file holds, never a byte of it.

use std::fmt;
use std::io;

use jwt_rbac::authn::algorithm::Algorithm;

use super::kind::Kind;

/// Why a file yields no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    #[error("cannot be read: {0}; {MAKE}")]
    Read(io::Error),
    #[error("is not PEM; expected {0}; {MAKE}")]
    NotPem(Wanted),
    #[error("holds {found}; expected {wanted}; {remedy}")]
    Block { found: &'static str, wanted: Wanted, remedy: &'static str },
    #[error("holds a key that does not decode; write it anew from its source, or {MAKE}")]
    Damaged,
    #[error(
        "holds a compressed point; expected both coordinates; convert it with \
         `openssl ec -pubin -in FILE -pubout -conv_form uncompressed -out NEWFILE`"
    )]
    Compressed,
    #[error("holds a key of kind {0}; expected RSA, P-256, P-384, P-521, Ed25519 or oct; {MAKE}")]
    Kind(String),
    #[error("is JSON, but no JWK and no set of them; expected an object with `kty` or `keys`")]
    NotJwk,
    #[error("holds {0} private keys; expected one, as a JWK of its own")]
    Several(usize),
    #[error("holds a JWK whose `{0}` is missing or does not decode; write it anew from its source")]
    Member(&'static str),
    #[error(
        "holds a secret of {found} bytes; {algorithm} needs {least}: make one with \
         `openssl rand -base64 {least}` and write it to `k`"
    )]
    ShortSecret { algorithm: Algorithm, least: usize, found: usize },
    #[error(
        "holds an RSA key of {0} bits; expected 2048 to 8192, as the filter does; make one with \
         `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem`"
    )]
    RsaSize(usize),
    #[error("holds a key of kind {kind}, which `{requested}` does not fit; expected `--algorithm` {}", fitting(*kind))]
    Algorithm { requested: Algorithm, kind: Kind },
}

/// What a subcommand can work with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    Private,
    PrivateOrPublic,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "a private key in PKCS#8 (`BEGIN PRIVATE KEY`) or a JWK",
            Self::PrivateOrPublic => {
                "a private key in PKCS#8 (`BEGIN PRIVATE KEY`), a public key (`BEGIN PUBLIC KEY`) or a JWK"
            }
        })
    }
}

impl KeyProblem {
    /// A PEM block with a label other than those `wanted`.
    pub fn block(label: &str, wanted: Wanted) -> Self {
        let (found, remedy) = match label {
            "PUBLIC KEY" => ("a public key", PRIVATE_PART),
            "RSA PRIVATE KEY" => ("a private key in PKCS#1", CONVERT),
            "EC PRIVATE KEY" | "EC PARAMETERS" => ("a private key in SEC 1", CONVERT),
            "ENCRYPTED PRIVATE KEY" => ("an encrypted private key", CONVERT),
            "RSA PUBLIC KEY" if wanted == Wanted::Private => {
                ("a public key in PKCS#1", PRIVATE_PART)
            }
            "RSA PUBLIC KEY" => ("a public key in PKCS#1", CONVERT_PUBLIC),
            "CERTIFICATE" if wanted == Wanted::Private => ("a certificate", PRIVATE_PART),
            "CERTIFICATE" => ("a certificate", EXTRACT),
            // The label itself may be anything, so it is not repeated.
            _ => ("another kind of PEM block", MAKE),
        };
        Self::Block { found, wanted, remedy }
    }
}

const MAKE: &str =
    "make a key with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`";
const PRIVATE_PART: &str = "name the file of the private key that belongs to it";
const CONVERT: &str = "convert it with `openssl pkey -in FILE -out NEWFILE`";
const CONVERT_PUBLIC: &str =
    "convert it with `openssl rsa -RSAPublicKey_in -in FILE -pubout -out NEWFILE`";
const EXTRACT: &str = "take its key out with `openssl x509 -in FILE -noout -pubkey > NEWFILE`";

/// `RS256, RS384 or RS512`
fn fitting(kind: Kind) -> String {
    let names: Vec<String> = kind.algorithms().iter().map(ToString::to_string).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
