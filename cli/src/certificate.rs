//! The certificate of the webhook. cert-manager replaces its files long before it expires, so they are
//! read again when they change; a pair that can't be used is told, and the one before stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate that is used, and the files that it came from.
#[derive(Debug)]
pub struct Certificate {
    files: [PathBuf; 2],
    provider: Arc<CryptoProvider>,
    loaded: RwLock<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    texts: [Vec<u8>; 2],
    key: Arc<CertifiedKey>,
}

/// Why a certificate can't be used. It never has the key.
#[derive(Debug, thiserror::Error)]
pub enum CertificateProblem {
    /// A file is not there.
    #[error("`{}` cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It does not hold what belongs there.
    #[error("`{}` has no {expected} in PEM: {source}", path.display())]
    Pem { path: PathBuf, expected: &'static str, source: pem::Error },
    /// Certificate and key do not fit, or are of a kind that TLS does not use.
    #[error("`{}` can't be used with its key: {source}", path.display())]
    Unusable { path: PathBuf, source: rustls::Error },
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// With the file that is at fault.
    pub fn load(certificate: &Path, key: &Path) -> Result<Arc<Self>, CertificateProblem> {
        let files = [certificate.to_owned(), key.to_owned()];
        let provider = Arc::new(ring::default_provider());
        let texts = read(&files)?;
        let key = certified(&files, &texts, &provider)?;
        let loaded = RwLock::new(Loaded { texts, key });
        Ok(Arc::new(Self { files, provider, loaded }))
    }

    /// Reads the files again. Returns whether there is a new certificate.
    ///
    /// # Errors
    ///
    /// As [`Self::load`]; the one before is still used then.
    pub fn refresh(&self) -> Result<bool, CertificateProblem> {
        let texts = read(&self.files)?;
        if self.loaded.read().is_ok_and(|loaded| loaded.texts == texts) {
            return Ok(false);
        }
        let key = certified(&self.files, &texts, &self.provider)?;
        if let Ok(mut loaded) = self.loaded.write() {
            *loaded = Loaded { texts, key };
        }
        Ok(true)
    }

    /// TLS with whatever certificate there is when a client comes.
    ///
    /// # Errors
    ///
    /// When there is no version of TLS to use.
    pub fn tls(self: &Arc<Self>) -> Result<ServerConfig, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        Ok(builder.with_cert_resolver(resolver))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.loaded.read().ok()?.key))
    }
}

fn read(files: &[PathBuf; 2]) -> Result<[Vec<u8>; 2], CertificateProblem> {
    let text = |path: &PathBuf| {
        let problem = |source| CertificateProblem::Read { path: path.clone(), source };
        fs::read(path).map_err(problem)
    };
    Ok([text(&files[0])?, text(&files[1])?])
}

fn certified(
    files: &[PathBuf; 2],
    texts: &[Vec<u8>; 2],
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, CertificateProblem> {
    let pem = |path: &PathBuf, expected| {
        let path = path.clone();
        move |source| CertificateProblem::Pem { path, expected, source }
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&texts[0]).collect();
    let chain = match chain {
        Ok(chain) if chain.is_empty() => Err(pem::Error::NoItemsFound),
        other => other,
    };
    let chain = chain.map_err(pem(&files[0], "certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(&texts[1]).map_err(pem(&files[1], "private key"))?;
    let unusable = |source| CertificateProblem::Unusable { path: files[0].clone(), source };
    CertifiedKey::from_der(chain, key, provider).map(Arc::new).map_err(unusable)
}
