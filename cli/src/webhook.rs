//! `jwt-rbac webhook`: an admission webhook of Kubernetes that refuses a broken `pluginConfig` at
//! `kubectl apply`, with all that is wrong with it.
//!
//! [`review`] judges, [`server`] answers over HTTPS, [`certificate`] follows the files of the
//! certificate. `wasmplugin/webhook` has the manifests.

mod review;
mod server;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::TcpListener;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::output::Output;
use crate::signals::stopped;
use review::Modules;

/// Refuse broken documents at `kubectl apply`: an admission webhook for `WasmPlugin` and `TrafficExtension`
#[derive(clap::Args)]
#[command(
    after_help = "POST /validate answers an AdmissionReview (admission.k8s.io/v1), GET /healthz says 200. SIGTERM ends it when all \
requests are answered."
)]
pub struct Options {
    /// Where it listens
    #[arg(long, default_value = "0.0.0.0:8443", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The certificate with its chain, in PEM; read again when it changes
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the `url` of our module has in it; can be given several times. The label `jwt-rbac-webhook` of a
    /// resource, `check` or `skip`, comes before it
    #[arg(long = "module", default_values = ["jwt-rbac", "jwt_rbac"], value_name = "TEXT")]
    modules: Vec<String>,
}

/// Serves until SIGTERM or Ctrl-C.
///
/// # Errors
///
/// When the certificate or the address can't be used.
pub fn run(options: &Options) -> Result<Output, Error> {
    let certificate = Certificate::load(&options.certificate, &options.key);
    let certificate = certificate.map_err(Error::Certificate)?;
    let modules = Modules(options.modules.clone());
    let failed = |source| Error::Listen { address: options.listen, source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(failed)?.block_on(async {
        let listener = TcpListener::bind(options.listen).await?;
        // With port 0, this is how anybody learns which one it is.
        eprintln!("jwt-rbac: listening on https://{}", listener.local_addr()?);
        server::serve(listener, certificate, modules, stopped()?).await;
        io::Result::Ok(())
    });
    served.map_err(failed)?;
    Ok(Output::from(String::new()))
}
