//! `jwt-rbac jwks`: the key set that verifies what `token` signs, for `jwtRules[].jwks` of the document.

use std::path::PathBuf;

use jwt_rbac::authn::algorithm::Algorithm;
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::key::{KeyError, Parameters, PublicKey};
use crate::token::algorithm_parser;

/// Print the JWKS of keys, public parts only; a secret (HS*) has no other
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  jwt-rbac jwks key.pem\n  openssl pkey -in key.pem -pubout | jwt-rbac jwks -"
)]
pub struct Options {
    /// PEM key, private (PKCS#8) or public, or a JWK or a set of them; RSA, P-256, P-384, P-521, Ed25519 or a
    /// secret; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// The `alg` of the keys; default: RS256 for RSA, else the one that fits the curve
    #[arg(long, value_name = "NAME", value_parser = algorithm_parser())]
    algorithm: Option<Algorithm>,
}

/// The JWKS of the files, in their order.
///
/// # Errors
///
/// At the first file that holds no usable key.
pub fn run(options: &Options) -> Result<String, Error> {
    let keys = options
        .keys
        .iter()
        .map(|path| PublicKey::read_all(path, options.algorithm))
        .collect::<Result<Vec<_>, KeyError>>()?
        .concat();
    let set = KeySet { keys: keys.iter().map(Jwk::new).collect() };
    let text = serde_json::to_string_pretty(&set).map_err(Error::Json)?;
    Ok(text + "\n")
}

/// A key as a JSON Web Key.
///
/// # Errors
///
/// When it can't be written.
pub fn jwk(key: &PublicKey) -> Result<Value, Error> {
    serde_json::to_value(Jwk::new(key)).map_err(Error::Json)
}

#[derive(Serialize)]
struct KeySet<'a> {
    keys: Vec<Jwk<'a>>,
}

/// One key; the fields are in the order in which people read them.
#[derive(Serialize)]
struct Jwk<'a> {
    kty: &'static str,
    r#use: &'static str,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(flatten)]
    parameters: &'a Parameters,
}

impl<'a> Jwk<'a> {
    fn new(key: &'a PublicKey) -> Self {
        let kty = match key.parameters {
            Parameters::Rsa { .. } => "RSA",
            Parameters::Ec { .. } => "EC",
            Parameters::Okp { .. } => "OKP",
            Parameters::Oct { .. } => "oct",
        };
        Self {
            kty,
            r#use: "sig",
            alg: key.algorithm.name(),
            kid: key.kid.as_deref(),
            parameters: &key.parameters,
        }
    }
}
