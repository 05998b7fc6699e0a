//! The workload behind Envoy: it answers every request with what it received. Through a tunnel
//! (WebSocket, CONNECT) it sends back the bytes that it gets.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use crate::client::Response;
use crate::wire::{Fields, Head};

/// Carries what was seen of a request whose answer has no body: of HEAD, or of a tunnel.
const SEEN_HEADER: &str = "x-test-seen";

/// A request as it reached the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target, undecoded.
    pub path: String,
    /// The headers in their order, values as ISO 8859-1.
    pub headers: Fields,
    /// The trailers, in their order.
    #[serde(default)]
    pub trailers: Fields,
}

impl Seen {
    /// Reads it out of a response; `None` when the response is not the workload's.
    pub fn of(response: &Response) -> Option<Self> {
        if let Some(seen) = response.header(SEEN_HEADER) {
            return serde_json::from_slice(&BASE64_STANDARD.decode(seen).ok()?).ok();
        }
        serde_json::from_slice(&response.body).ok()
    }
}

/// A running workload. Its threads end with the process.
#[derive(Clone, Copy, Debug)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Upstream {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one that also notes what reaches it, whether or not an answer comes back to the client.
    pub fn start_noting() -> (Self, Notes) {
        let notes = Notes::default();
        (Self::start_with(Some(notes.clone())), notes)
    }

    fn start_with(notes: Option<Notes>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let notes = notes.clone();
                // If a connection breaks, Envoy notices.
                thread::spawn(move || serve(&stream, notes.as_ref()));
            }
        });
        Self { address }
    }
}

/// The requests that have reached a workload.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Vec<Seen>>>);

impl Notes {
    /// How many of them are like this.
    pub fn count(&self, is_like: impl Fn(&Seen) -> bool) -> usize {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().filter(|seen| is_like(seen)).count()
    }

    fn add(&self, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}

fn serve(stream: &TcpStream, notes: Option<&Notes>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(head) = Head::read(&mut reader)? {
        let (_, trailers) = head.read_body_and_trailers(&mut reader, false)?;
        let mut words = head.start.splitn(3, ' ').map(str::to_owned);
        let seen = Seen {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            headers: head.headers,
            trailers,
        };
        if let Some(notes) = notes {
            notes.add(seen.clone());
        }
        if let Some(start) = tunnel(&seen) {
            let seen = BASE64_STANDARD.encode(serde_json::to_vec(&seen)?);
            let head = format!("{start}\r\n{SEEN_HEADER}: {seen}\r\n\r\n");
            reader.get_mut().write_all(head.as_bytes())?;
            io::copy(&mut reader, &mut &*stream)?;
            return Ok(());
        }
        reader.get_mut().write_all(&answer(&seen)?)?;
    }
    Ok(())
}

/// The start of the answer that opens a tunnel, if the request asks for one.
fn tunnel(seen: &Seen) -> Option<&'static str> {
    if seen.method == "CONNECT" {
        return Some("HTTP/1.1 200 OK");
    }
    let is_upgrade = |(name, value): &(String, String)| {
        name.eq_ignore_ascii_case("upgrade") && value.eq_ignore_ascii_case("websocket")
    };
    seen.headers
        .iter()
        .any(is_upgrade)
        .then_some("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket")
}

fn answer(seen: &Seen) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(seen)?;
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
    if seen.method == "HEAD" {
        let seen = BASE64_STANDARD.encode(body);
        let head = format!("{head}\r\ncontent-length: {length}\r\n{SEEN_HEADER}: {seen}\r\n\r\n");
        return Ok(head.into_bytes());
    }
    let head = format!("{head}\r\ncontent-length: {length}\r\n\r\n");
    Ok([head.into_bytes(), body].concat())
}
