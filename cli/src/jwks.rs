//! `jwt-rbac jwks`: the key set that verifies what `token` signs, for `jwtRules[].jwks` of the document.

use std::path::PathBuf;

use jsonwebtoken::Algorithm;
use serde::Serialize;

use crate::error::Error;
use crate::key::{Parameters, PublicKey};
use crate::token::algorithm_parser;

/// Print the JWKS (public parts only) of PEM keys
#[derive(clap::Args)]
#[command(after_help = "Example:\n  jwt-rbac jwks key.pem")]
pub struct Options {
    /// PEM key, private (PKCS#8) or public; RSA, P-256, P-384 or Ed25519
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
        .map(|path| PublicKey::read(path, options.algorithm))
        .collect::<Result<Vec<PublicKey>, Error>>()?;
    let set = KeySet { keys: keys.iter().map(Jwk::new).collect() };
    let text = serde_json::to_string_pretty(&set).map_err(Error::Json)?;
    Ok(text + "\n")
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
    alg: Algorithm,
    kid: &'a str,
    #[serde(flatten)]
    parameters: &'a Parameters,
}

impl<'a> Jwk<'a> {
    fn new(key: &'a PublicKey) -> Self {
        let kty = match key.parameters {
            Parameters::Rsa { .. } => "RSA",
            Parameters::Ec { .. } => "EC",
            Parameters::Okp { .. } => "OKP",
        };
        Self { kty, r#use: "sig", alg: key.algorithm, kid: &key.kid, parameters: &key.parameters }
    }
}
