//! What can go wrong in a subcommand. Every message is one line that names the file or option, what was found,
//! what was expected and, where there is one, the remedy. None repeats the contents of a key file.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use jwt_rbac_local::programs::Missing;

use crate::certificate::CertificateProblem;
use crate::key::KeyError;

/// Why a subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line does not parse.
    #[error("{0}")]
    Usage(String),
    #[error(
        "an argument holds a private key; expected the name of its file, as in `--key key.pem`"
    )]
    KeyInArguments,
    #[error("`--no-expiration` and the claim `exp` exclude each other; drop one of them")]
    ExpirationTwice,
    #[error("`{}` cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` {problem}", path.display())]
    Content { path: PathBuf, problem: String },
    #[error(
        "`{}` is refused ({errors} errors, the first: {first}); `jwt-rbac check` shows them",
        path.display()
    )]
    Document { path: PathBuf, errors: usize, first: String },
    #[error("`{}` is refused: {}", path.display(), count(*errors))]
    Refused { path: PathBuf, errors: usize },
    #[error("`{}` has no file of YAML or JSON; expected manifests in it", path.display())]
    EmptyFolder { path: PathBuf },
    #[error("`{}` cannot be written: {source}", path.display())]
    Save { path: PathBuf, source: io::Error },
    #[error("cannot write to standard output: {0}")]
    Write(io::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(
        "`{}` is not JSON: {source}; expected an object of claims, such as {{\"sub\": \"user\"}}",
        path.display()
    )]
    ClaimsSyntax { path: PathBuf, source: serde_json::Error },
    #[error(
        "`{}` holds {found}; expected a JSON object of claims, such as {{\"sub\": \"user\"}}",
        path.display()
    )]
    ClaimsType { path: PathBuf, found: &'static str },
    #[error("found {0}")]
    Token(String),
    #[error("the clock of this machine is before 1970; set it, then mint the token again")]
    Clock,
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("{0}")]
    Certificate(CertificateProblem),
    #[error("cannot write JSON: {0}")]
    Json(serde_json::Error),
    #[error("cannot write YAML: {0}")]
    Yaml(jwt_rbac_migrate::Error),
    #[error("{0}")]
    Local(Missing),
    #[error("cannot write to the temporary folder: {source}; set TMPDIR to a folder of yours")]
    Folder { source: io::Error },
    #[error("cannot watch the file and the signals: {0}")]
    Events(io::Error),
    #[error("Envoy does not run: {0}")]
    Envoy(String),
}

fn count(errors: usize) -> String {
    if errors == 1 { "1 error".to_owned() } else { format!("{errors} errors") }
}

impl Error {
    /// 2 when the command line is at fault, else 1.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::KeyInArguments | Self::ExpirationTwice => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}
