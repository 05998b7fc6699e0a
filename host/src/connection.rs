//! What Envoy knows of the connection of the request that it is asking us about.

use jwt_rbac::request::{Connection, Property, Unknown};

use super::{HostError, property};

/// The connection of the current request.
#[derive(Debug)]
pub struct EnvoyConnection;

impl Connection for EnvoyConnection {
    fn property(&self, wanted: Property) -> Result<Option<Vec<u8>>, Unknown> {
        fetch(wanted).map_err(|_| Unknown)
    }
}

fn fetch(wanted: Property) -> Result<Option<Vec<u8>>, HostError> {
    match wanted {
        // `destination.port` would be a call of its own.
        Property::LocalAddress => property("destination\0address"),
        Property::PeerIdentity => match property("connection\0uri_san_peer_certificate")? {
            Some(identity) => Ok(Some(identity)),
            // At a waypoint the tunnel has ended before; Istio keeps the identity of its peer here.
            None => property("filter_state\0io.istio.peer_principal"),
        },
        Property::RemoteAddress => property("source\0address"),
        Property::ServerName => property("connection\0requested_server_name"),
    }
}
