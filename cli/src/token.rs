//! `jwt-rbac token`: a token for development and tests, signed with your own key. Production tokens
//! come from an identity provider.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use jwt_rbac::authn::algorithm::Algorithm;
use serde::Serialize;

use crate::claims::ClaimOptions;
use crate::error::Error;
use crate::key::{ALGORITHMS, SigningKey};
use crate::now::now;

/// Mint a token for development, signed with a key of your own
#[derive(clap::Args)]
#[command(after_help = "Example:
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem
  jwt-rbac token --key key.pem --issuer https://issuer.example.com/ \\
    --audience https://api.example.com --permission read:book-reviews")]
pub struct Options {
    /// PEM private key in PKCS#8, or a JWK; RSA, P-256, P-384, P-521, Ed25519 or a secret; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Algorithm that signs; default: that of the JWK, RS256 for RSA, HS256 for a secret, else the one that fits
    /// the curve
    #[arg(long, value_name = "NAME", value_parser = algorithm_parser())]
    algorithm: Option<Algorithm>,
    /// Name of the key; default: its RFC 7638 thumbprint, as `jwks` prints it
    #[arg(long, value_name = "TEXT")]
    kid: Option<String>,
    /// Leave the name of the key out
    #[arg(long, conflicts_with = "kid")]
    no_kid: bool,
    /// The header's `typ`
    #[arg(long = "type", value_name = "TEXT", default_value = "JWT")]
    token_type: String,
    #[command(flatten)]
    claims: ClaimOptions,
}

/// The header of a token (RFC 7515 §4.1).
#[derive(Serialize)]
struct Header<'o> {
    typ: &'o str,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'o str>,
}

/// The names of [`ALGORITHMS`].
pub fn algorithm_parser() -> impl TypedValueParser<Value = Algorithm> {
    PossibleValuesParser::new(ALGORITHMS)
        .try_map(|name| Algorithm::from_name(&name).ok_or("no such algorithm"))
}

/// The token and a line break.
///
/// # Errors
///
/// When the key or the claims can't be used.
pub fn run(options: &Options) -> Result<String, Error> {
    let key = SigningKey::read(&options.key, options.algorithm)?;
    let claims = options.claims.claims(i64::try_from(now()?).map_err(|_| Error::Clock)?)?;
    let kid = options.kid.as_deref().or(key.public.kid.as_deref());
    let header = Header {
        typ: &options.token_type,
        alg: key.public.algorithm.name(),
        kid: kid.filter(|_| !options.no_kid),
    };
    Ok(key.sign(&header, &claims)? + "\n")
}
