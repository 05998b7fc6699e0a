//! Who is at the other end of the connection of a request.

use std::net::{IpAddr, SocketAddr};

use jwt_rbac::request::{Connection, Property, Unknown};

/// What policies can ask of a connection; what is not given, it does not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Peer {
    /// The address of the client.
    pub remote_ip: Option<IpAddr>,
    /// The address and port that it has called.
    pub local: Option<SocketAddr>,
    /// The identity of its certificate, without `spiffe://`, as in `principals`.
    pub principal: Option<String>,
}

impl Connection for Peer {
    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, Unknown> {
        let text = match property {
            Property::LocalAddress => self.local.map(|local| local.to_string()),
            Property::PeerIdentity => {
                self.principal.as_ref().map(|principal| format!("spiffe://{principal}"))
            }
            Property::RemoteAddress => self.remote_ip.map(|ip| SocketAddr::new(ip, 0).to_string()),
            Property::ServerName => None,
        };
        Ok(text.map(String::into_bytes))
    }
}
