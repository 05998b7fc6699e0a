//! What rules are asked about: one request, its verified identity, and what its connection says, which
//! is fetched when the first condition needs it.

use std::cell::{Cell, OnceCell};
use std::net::{IpAddr, SocketAddr};

use crate::authn::identity::Identity;
use crate::request::{Property, Request};

/// One request, as rules see it.
#[derive(Debug)]
pub struct Subject<'a, 'r> {
    /// The request.
    pub request: &'a Request<'r>,
    /// Whom its verified token names.
    pub identity: Option<&'a Identity>,
    /// Without query and fragment.
    pub path: &'r [u8],
    peer: OnceCell<Option<String>>,
    remote: OnceCell<Option<SocketAddr>>,
    local: OnceCell<Option<SocketAddr>>,
    server_name: OnceCell<Option<Vec<u8>>>,
    /// Whether the host could not say something that it was asked for.
    failed: Cell<bool>,
}

impl<'a, 'r> Subject<'a, 'r> {
    /// A request, with the identity that its token has proved.
    #[must_use]
    pub fn new(request: &'a Request<'r>, identity: Option<&'a Identity>) -> Self {
        let path = request.path();
        // `PathUtil::removeQueryAndFragment` of Envoy.
        let path = path.split(|byte| *byte == b'#').next().unwrap_or(path);
        let (peer, remote, local, server_name, failed) = Default::default();
        Self { request, identity, path, peer, remote, local, server_name, failed }
    }

    /// The identity in the certificate of the peer.
    pub fn peer(&self) -> Option<&str> {
        let text = || String::from_utf8(self.fetch(Property::PeerIdentity)?).ok();
        self.peer.get_or_init(text).as_deref()
    }

    /// The address of the client, behind proxies that are trusted.
    pub fn remote_ip(&self) -> Option<IpAddr> {
        let address = || socket_address(&self.fetch(Property::RemoteAddress)?);
        self.remote.get_or_init(address).as_ref().map(SocketAddr::ip)
    }

    /// The address that the client has called.
    pub fn local_address(&self) -> Option<SocketAddr> {
        let address = || socket_address(&self.fetch(Property::LocalAddress)?);
        *self.local.get_or_init(address)
    }

    /// The server name of the TLS handshake.
    pub fn server_name(&self) -> Option<&[u8]> {
        self.server_name.get_or_init(|| self.fetch(Property::ServerName)).as_deref()
    }

    /// Whether an answer of the host was needed and did not come, so that no judgement counts.
    pub fn has_failed(&self) -> bool {
        self.failed.get()
    }

    fn fetch(&self, property: Property) -> Option<Vec<u8>> {
        let value = self.request.connection().property(property);
        if value.is_err() {
            self.failed.set(true);
        }
        value.ok().flatten().filter(|value| !value.is_empty())
    }
}

/// `10.0.0.1:80` or `[::1]:80`; a socket of another kind has no address.
fn socket_address(text: &[u8]) -> Option<SocketAddr> {
    str::from_utf8(text).ok()?.parse().ok()
}
