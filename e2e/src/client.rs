//! A client that sends exactly the bytes it is told: repeated headers, odd paths, header values
//! that are no text.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::wire::{self, Head};

/// How long a response may take. Envoy answers in milliseconds; the rest is for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The `Host` of a request that brings none.
pub const HOST: &str = "bookinfo.test";

/// A request as it is written to the socket.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, as it is.
    pub method: String,
    /// The request target, as it is.
    pub target: String,
    /// The headers in their order; a `host` among them replaces [`HOST`].
    pub headers: Vec<(String, String)>,
    /// The body; its length is added to the headers.
    pub body: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: Head,
    /// The body, empty for HEAD.
    pub body: Vec<u8>,
}

impl Request {
    /// A request with no headers but the ones that [`Self::send`] adds.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A GET request.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same request with a body.
    #[must_use]
    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// The same request with a bearer token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The host that it names.
    pub fn authority(&self) -> &str {
        let host = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        host.map_or(HOST, |(_, value)| value)
    }

    /// Sends it over a connection of its own.
    ///
    /// # Errors
    ///
    /// Those of the socket, a time-out, and a response that is not HTTP/1.1.
    pub fn send(&self, address: SocketAddr) -> io::Result<Response> {
        exchange(address, &self.bytes(), self.method == "HEAD")
    }

    /// The bytes of it, as they are sent. `content-length` is added where there is a body, or the
    /// method usually has one.
    pub fn bytes(&self) -> Vec<u8> {
        let has = |name: &str| self.headers.iter().any(|pair| pair.0.eq_ignore_ascii_case(name));
        let mut lines = vec![format!("{} {} HTTP/1.1", self.method, self.target)];
        if !has("host") {
            lines.push(format!("host: {HOST}"));
        }
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let with_body = matches!(self.method.as_str(), "POST" | "PUT" | "PATCH");
        if (with_body || !self.body.is_empty()) && !has("content-length") {
            lines.push(format!("content-length: {}", self.body.len()));
        }
        let head = wire::bytes(&(lines.join("\r\n") + "\r\n\r\n"));
        [head, self.body.clone().into_bytes()].concat()
    }
}

impl Response {
    /// Every line of a header, joined by `, `; `None` without one.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.head.values(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        wire::text(&self.body)
    }
}

/// Sends these bytes and reads one response; `no_body` for the answer to HEAD.
///
/// # Errors
///
/// Those of the socket, a time-out, and a response that is not HTTP/1.1.
pub fn exchange(address: SocketAddr, bytes: &[u8], no_body: bool) -> io::Result<Response> {
    let (response, mut reader) = open(address, bytes)?;
    let no_body = no_body || matches!(response.status, 101 | 204 | 304);
    let body = if no_body { Vec::new() } else { response.head.read_body(&mut reader, true)? };
    Ok(Response { body, ..response })
}

/// Sends these bytes and reads every response that comes back on the connection, until it ends or
/// nothing has come for this time.
///
/// # Errors
///
/// As [`exchange`], if not even one response has come.
pub fn exchange_all(
    address: SocketAddr,
    bytes: &[u8],
    idle: Duration,
) -> io::Result<Vec<Response>> {
    let (first, mut reader) = open(address, bytes)?;
    let mut next = Some(first);
    let mut responses = Vec::new();
    while let Some(response) = next {
        let has_body = !matches!(response.status, 100..200 | 204 | 304);
        let body = if has_body { response.head.read_body(&mut reader, true)? } else { Vec::new() };
        responses.push(Response { body, ..response });
        reader.get_ref().set_read_timeout(Some(idle))?;
        next = read_head(&mut reader).ok();
    }
    Ok(responses)
}

/// Sends these bytes and reads the head of a response; its body, or what a tunnel carries, is left
/// on the connection.
///
/// # Errors
///
/// Those of the socket, a time-out, and a response that is not HTTP/1.1.
pub fn open(address: SocketAddr, bytes: &[u8]) -> io::Result<(Response, BufReader<TcpStream>)> {
    let mut stream = connect(address)?;
    stream.write_all(bytes)?;
    let mut reader = BufReader::new(stream);
    Ok((read_head(&mut reader)?, reader))
}

fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<Response> {
    let head = Head::read(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.start.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("not HTTP: {}", head.start)))?;
    Ok(Response { status, head, body: Vec::new() })
}

/// A connection whose reads and writes time out.
///
/// # Errors
///
/// Those of the socket.
pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
