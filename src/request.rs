//! A request as plain values, read once from the list of its headers. What its connection says is
//! fetched when something needs it.

use std::cell::OnceCell;
use std::fmt;

use crate::authz::work::Work;
use crate::query::Query;
use crate::refusal::Refusal;

/// The name and value of one header line. Values are bytes: a client may send any byte that
/// Envoy's codecs let through, 0x80–0xFF among them.
pub type Header<'a> = (&'a [u8], &'a [u8]);

/// What a host knows of the connection of a request. Asking is a call, so each is asked for when a rule
/// that can still decide needs it.
pub trait Connection: fmt::Debug {
    /// A property; `None` for what this connection does not have.
    ///
    /// # Errors
    /// [`Unknown`], where the host could not say.
    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, Unknown>;
}

/// A property of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// The address that the client has called, with its port.
    LocalAddress,
    /// The SPIFFE identity in the certificate of the peer.
    PeerIdentity,
    /// The address of the client, with its port, behind proxies that are trusted.
    RemoteAddress,
    /// The server name of the TLS handshake.
    ServerName,
}

/// The host could not say.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

/// A connection of which nothing is known.
#[derive(Debug)]
pub struct NoConnection;

impl Connection for NoConnection {
    fn property(&self, _: Property) -> Result<Option<Vec<u8>>, Unknown> {
        Ok(None)
    }
}

/// The headers of one request, as Envoy hands them over: names in lower case, repeated names as
/// repeated entries.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// `:method`, case-sensitive (RFC 9110 §9.1).
    pub method: &'a [u8],
    /// `:authority`, or empty.
    pub authority: &'a [u8],
    /// `:scheme`, or empty.
    pub scheme: &'a [u8],
    target: Option<&'a [u8]>,
    path: &'a [u8],
    query: Option<&'a [u8]>,
    parameters: OnceCell<Query>,
    headers: &'a [Header<'a>],
    connection: &'a dyn Connection,
    work: Work,
}

impl<'a> Request<'a> {
    /// Reads a request from all its header lines.
    ///
    /// # Errors
    /// [`Refusal::RequestMalformed`] without a method or, unless it is CONNECT, without a path, and
    /// when a pseudo header is there twice.
    pub fn read(headers: &'a [Header<'a>]) -> Result<Self, Refusal> {
        const NAMES: [&[u8]; 4] = [b":method", b":path", b":authority", b":scheme"];
        let mut values = [None; NAMES.len()];
        for &(name, value) in headers.iter().filter(|(name, _)| name.starts_with(b":")) {
            let place = NAMES.iter().position(|known| *known == name);
            let slot = place.and_then(|place| values.get_mut(place));
            if slot.is_some_and(|slot| slot.replace(value).is_some()) {
                return Err(Refusal::RequestMalformed);
            }
        }
        let [method, target, authority, scheme] = values;
        let method = method.filter(|method| !method.is_empty()).ok_or(Refusal::RequestMalformed)?;
        if target.is_none_or(<[u8]>::is_empty) && method != b"CONNECT" {
            return Err(Refusal::RequestMalformed);
        }
        let (path, query) = split_query(target.unwrap_or_default());
        Ok(Self {
            method,
            target,
            authority: authority.unwrap_or_default(),
            scheme: scheme.unwrap_or_default(),
            path,
            query,
            parameters: OnceCell::new(),
            headers,
            connection: &NoConnection,
            work: Work::default(),
        })
    }

    /// The request, with its connection.
    #[must_use]
    pub fn with_connection(self, connection: &'a dyn Connection) -> Self {
        Self { connection, ..self }
    }

    /// How much may still be compared for it.
    #[must_use]
    pub fn work(&self) -> &Work {
        &self.work
    }

    /// What is known of its connection.
    #[must_use]
    pub fn connection(&self) -> &'a dyn Connection {
        self.connection
    }

    /// Every header line, pseudo headers too, in order.
    #[must_use]
    pub fn headers(&self) -> &'a [Header<'a>] {
        self.headers
    }

    /// The values of all lines with this name, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(found, _)| *found == name.as_bytes())
            .map(|&(_, value)| value)
    }

    /// `:path` with its query; `None` only for CONNECT.
    #[must_use]
    pub fn target(&self) -> Option<&'a [u8]> {
        self.target
    }

    /// The path without the query. Empty where CONNECT has none.
    #[must_use]
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The query, without its `?`.
    #[must_use]
    pub fn query(&self) -> Option<&'a [u8]> {
        self.query
    }

    /// The parameters of its query, read when the first of them is asked for.
    pub fn parameters(&self) -> &Query {
        self.parameters.get_or_init(|| Query::read(self.query.unwrap_or_default()))
    }

    /// Whether it is gRPC, as Envoy tells it (`Grpc::Common::isGrpcRequestHeaders`).
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        let content_type = self.values("content-type").next().unwrap_or_default();
        matches!(content_type.strip_prefix(b"application/grpc"), Some([] | [b'+', ..]))
    }

    /// Whether a browser asks what it may send (Fetch standard, "CORS-preflight request"): the same
    /// test as in Envoy's `jwt_authn/filter.cc`, but no browser asks for an upgrade with it, and one that
    /// is granted would be a tunnel that nobody has authorized.
    #[must_use]
    pub fn is_preflight(&self) -> bool {
        let has = |name| self.values(name).any(|value| !value.is_empty());
        self.method == b"OPTIONS"
            && has("origin")
            && has("access-control-request-method")
            && !has("upgrade")
    }
}

/// The path of a target, and its query without the `?`.
#[must_use]
pub fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match target.iter().position(|&byte| byte == b'?') {
        Some(mark) => {
            let (path, query) = target.split_at(mark);
            (path, query.get(1..))
        }
        None => (target, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_is_cut_at_the_first_question_mark() {
        let headers: &[Header<'_>] = &[(b":method", b"GET"), (b":path", b"/a?b=/c?d")];
        let request = Request::read(headers).unwrap();
        assert_eq!(request.path(), b"/a");
        assert_eq!(request.query(), Some(&b"b=/c?d"[..]));
    }

    #[test]
    fn method_and_path_are_required_once() {
        let refused: [&[Header<'_>]; 5] = [
            &[],
            &[(b":method", b"GET")],
            &[(b":path", b"/")],
            &[(b":method", b""), (b":path", b"/")],
            &[(b":method", b"GET"), (b":path", b"/"), (b":path", b"/admin")],
        ];
        for headers in refused {
            assert_eq!(Request::read(headers).unwrap_err(), Refusal::RequestMalformed);
        }
        assert!(Request::read(&[(b":method", b"CONNECT")]).is_ok());
    }

    #[test]
    fn repeated_headers_are_all_seen() {
        let headers: &[Header<'_>] =
            &[(b":method", b"GET"), (b":path", b"/"), (b"x-t", b"1"), (b"x-t", b"\xff")];
        let request = Request::read(headers).unwrap();
        let values: Vec<_> = request.values("x-t").collect();
        assert_eq!(values, [&b"1"[..], b"\xff"]);
    }
}
