//! The requests of `docs/workloads.md`, and how they are sent.

use std::io;
use std::net::SocketAddr;

use crate::client::{self, Request, Response};
use crate::http2;
use crate::other_names::Sent;

impl Sent {
    /// The request and its body. A method and a path that are sent for themselves replace these.
    pub fn request(&self, method: &str, path: &str) -> (Request, String) {
        let request = Request::new(method, path);
        match self {
            Self::Header(name, value) => {
                let value = if name == "cookie" { cookies(value) } else { value.clone() };
                (companions(self, request).header(name, &value), String::new())
            }
            Self::Parameter(text) => (Request::new(method, &query(path, text)), String::new()),
            Self::Form(text) => {
                let request = Request::new("POST", path)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("content-length", &text.len().to_string());
                (request, text.clone())
            }
            Self::Target(method, path) => (Request::new(method, path), String::new()),
        }
    }
}

/// Sends a request with this body.
///
/// # Errors
///
/// Those of the socket, a time-out, and an answer that is not HTTP.
pub fn send(address: SocketAddr, request: &Request, body: &str) -> io::Result<Response> {
    // Over HTTP/1.1 Envoy refuses a method in lower case.
    if request.method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return http2::send(address, request);
    }
    let bytes = [request.bytes(), body.as_bytes().to_vec()].concat();
    let (response, mut reader) = client::open(address, &bytes)?;
    // A tunnel has no body, and reading one would not end.
    let body = match response.status {
        101 => Vec::new(),
        _ => response.head.read_body(&mut reader, true)?,
    };
    Ok(Response { body, ..response })
}

/// The request with the other headers that an upgrade needs.
fn companions(sent: &Sent, request: Request) -> Request {
    match sent {
        Sent::Header(name, value) if name == "connection" && value.contains("upgrade") => request
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        Sent::Header(name, _) if name == "upgrade" => request
            .header("connection", "Upgrade, HTTP2-Settings")
            .header("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA"),
        _ => request,
    }
}

/// A target with this parameter between two others, of which every byte must stay.
pub fn query(path: &str, parameter: &str) -> String {
    format!("{path}?a=1&{parameter}&b=%41")
}

/// Cookies with this between two others.
pub fn cookies(cookie: &str) -> String {
    format!("a=1; {cookie}; b=2")
}
