//! The protocols that a test sends its requests over.

use std::io;
use std::net::SocketAddr;

use crate::client::{Request, Response};
use crate::http2;

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, [`crate::client`].
    Http1,
    /// HTTP/2, [`crate::http2`].
    Http2,
}

impl Protocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Http1, Self::Http2];

    /// Sends a request over a connection of its own.
    ///
    /// # Errors
    ///
    /// Those of the client, a [`http2::Reset`] among them.
    pub fn send(self, address: SocketAddr, request: &Request) -> io::Result<Response> {
        match self {
            Self::Http1 => request.send(address),
            Self::Http2 => http2::send(address, request),
        }
    }
}
