//! HTTP/2 over plain TCP, without an upgrade from HTTP/1.1 (RFC 9113 §3.3): a client that sends
//! exactly the fields it is told, in their order. A library would refuse a lower-case method, a
//! second `:path` or an invalid authority.
//!
//! A connection has one request. Nothing is compressed on the way out (RFC 7541 §6.2.2, without
//! Huffman); what comes back is decoded by a library.

use std::error::Error;
use std::fmt;
use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use loona_hpack::Decoder;

use crate::client::{self, Request, Response};
use crate::wire::{self, Fields, Head};

/// What every connection begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The stream of the only request.
const STREAM: u32 = 1;
/// The most that a frame carries unless the peer says otherwise (RFC 9113 §4.2).
const MAX_FRAME: usize = 1 << 14;

// The types of frames that matter here, and their flags (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 0x20;

/// The peer reset the request instead of answering it. The error of [`send`] holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The stream was reset, with this error code (RFC 9113 §7).
    Stream(u32),
    /// The connection was closed, with this error code.
    Connection(u32),
}

impl Reset {
    /// The reset that an error of [`send`] is about.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, code) = match self {
            Self::Stream(code) => ("stream", code),
            Self::Connection(code) => ("connection", code),
        };
        write!(formatter, "the {what} was reset with error code {code}")
    }
}

impl Error for Reset {}

/// Sends the request that [`Request::send`] sends over HTTP/1.1. Its `host` is the `:authority`.
///
/// # Errors
///
/// A [`Reset`], those of the socket, a time-out, and a response that is not HTTP/2.
pub fn send(address: SocketAddr, request: &Request) -> io::Result<Response> {
    exchange(address, &fields_of(request), request.body.as_bytes())
}

/// The fields of a request as [`send`] sends them.
pub fn fields_of(request: &Request) -> Fields {
    let mut fields = vec![
        (":method".to_owned(), request.method.clone()),
        (":scheme".to_owned(), "http".to_owned()),
        (":authority".to_owned(), request.authority().to_owned()),
        (":path".to_owned(), request.target.clone()),
    ];
    let headers =
        request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    fields.extend(headers.filter(|(name, _)| name != "host"));
    fields
}

/// Sends these fields, pseudo headers among them, and a body, and reads one response. Trailers are
/// appended to its headers.
///
/// # Errors
///
/// As [`send`].
pub fn exchange(
    address: SocketAddr,
    fields: &[(String, String)],
    body: &[u8],
) -> io::Result<Response> {
    exchange_with_trailers(address, fields, body, None)
}

/// The same with trailers, which may be empty.
///
/// # Errors
///
/// As [`send`].
pub fn exchange_with_trailers(
    address: SocketAddr,
    fields: &[(String, String)],
    body: &[u8],
    trailers: Option<&[(String, String)]>,
) -> io::Result<Response> {
    let mut stream = client::connect(address)?;
    let mut bytes = PREFACE.to_vec();
    // SETTINGS_INITIAL_WINDOW_SIZE, and the same for the connection: no answer is that long.
    put_frame(&mut bytes, SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]);
    put_frame(&mut bytes, WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0, 0]);
    let has_trailers = trailers.is_some();
    put_headers(&mut bytes, &block(fields), body.is_empty() && !has_trailers);
    if !body.is_empty() {
        put_frame(&mut bytes, DATA, if has_trailers { 0 } else { END_STREAM }, STREAM, body);
    }
    if let Some(trailers) = trailers {
        put_headers(&mut bytes, &block(trailers), true);
    }
    stream.write_all(&bytes)?;
    read_response(stream)
}

/// A header block: each field is a literal that is not indexed.
fn block(fields: &[(String, String)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            let text = wire::bytes(text);
            put_length(&mut block, text.len());
            block.extend(text);
        }
    }
    block
}

/// The length of a text that is not Huffman-coded: an integer with a prefix of seven bits
/// (RFC 7541 §5.1).
fn put_length(block: &mut Vec<u8>, length: usize) {
    const PREFIX: usize = 0x7f;
    let Some(mut rest) = length.checked_sub(PREFIX) else {
        block.push(low_byte(length));
        return;
    };
    block.push(low_byte(PREFIX));
    while rest > PREFIX {
        block.push(low_byte(rest & PREFIX) | 0x80);
        rest >>= 7;
    }
    block.push(low_byte(rest));
}

fn low_byte(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

fn put_headers(bytes: &mut Vec<u8>, block: &[u8], is_last: bool) {
    let end_stream = if is_last { END_STREAM } else { 0 };
    // A block without fields is a frame too.
    let parts = if block.is_empty() { vec![block] } else { block.chunks(MAX_FRAME).collect() };
    let frames = parts.len();
    for (index, part) in parts.into_iter().enumerate() {
        let (kind, flags) = if index == 0 { (HEADERS, end_stream) } else { (CONTINUATION, 0) };
        let end_headers = if index + 1 == frames { END_HEADERS } else { 0 };
        put_frame(bytes, kind, flags | end_headers, STREAM, part);
    }
}

fn put_frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    bytes.extend_from_slice(&length[1..]);
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}

/// One frame as it came.
struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

impl Frame {
    fn read(reader: &mut BufReader<TcpStream>) -> io::Result<Self> {
        let mut head = [0; 9];
        reader.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload)?;
        Ok(Self { kind: head[3], flags: head[4], payload })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without padding and priority.
    fn content(&self) -> io::Result<&[u8]> {
        let mut content = self.payload.as_slice();
        if self.has(PADDED) {
            let (padding, rest) = content.split_first().ok_or(io::ErrorKind::InvalidData)?;
            let end = rest.len().checked_sub(usize::from(*padding));
            content = &rest[..end.ok_or(io::ErrorKind::InvalidData)?];
        }
        if self.kind == HEADERS && self.has(PRIORITY) {
            content = content.get(5..).ok_or(io::ErrorKind::InvalidData)?;
        }
        Ok(content)
    }

    /// The 32 bits at this place of the payload.
    fn number(&self, start: usize) -> u32 {
        let bytes = self.payload.get(start..start + 4).and_then(|bytes| bytes.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or_default())
    }
}

fn read_response(stream: TcpStream) -> io::Result<Response> {
    let mut reader = BufReader::new(stream);
    let mut decoder = Decoder::new();
    let mut response = Response {
        status: 0,
        head: Head { start: "HTTP/2".to_owned(), headers: Vec::new() },
        body: Vec::new(),
    };
    let mut block = Vec::new();
    let mut is_last = false;
    loop {
        let frame = Frame::read(&mut reader)?;
        match frame.kind {
            DATA => response.body.extend_from_slice(frame.content()?),
            HEADERS | CONTINUATION => {
                block.extend_from_slice(frame.content()?);
                if frame.has(END_HEADERS) {
                    let fields = decoder.decode(&block).map_err(io::Error::other)?;
                    add_fields(&mut response, &fields)?;
                    block.clear();
                }
            }
            RST_STREAM => return Err(io::Error::other(Reset::Stream(frame.number(0)))),
            // Without an error it only says that the peer takes no more requests.
            GOAWAY if frame.number(4) != 0 => {
                return Err(io::Error::other(Reset::Connection(frame.number(4))));
            }
            SETTINGS | PING if !frame.has(ACK) => {
                let payload = if frame.kind == PING { frame.payload.as_slice() } else { &[] };
                let mut answer = Vec::new();
                put_frame(&mut answer, frame.kind, ACK, 0, payload);
                reader.get_mut().write_all(&answer)?;
            }
            _ => {}
        }
        is_last |= matches!(frame.kind, DATA | HEADERS) && frame.has(END_STREAM);
        if is_last && block.is_empty() {
            return Ok(response);
        }
    }
}

fn add_fields(response: &mut Response, fields: &[(Vec<u8>, Vec<u8>)]) -> io::Result<()> {
    for (name, value) in fields {
        let (name, value) = (wire::text(name), wire::text(value));
        if name == ":status" {
            response.status = value.parse().map_err(|_| io::ErrorKind::InvalidData)?;
            response.head.start = format!("HTTP/2 {value}");
            // The headers of an interim response are dropped.
            response.head.headers.clear();
        } else {
            response.head.headers.push((name, value));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoder_reads_what_is_sent() {
        for length in [0, 1, 126, 127, 128, 254, 255, 300, 20_000] {
            let fields = [
                (":method".to_owned(), "get".to_owned()),
                ("x".to_owned(), "\u{ff}".repeat(length)),
                ("x".to_owned(), String::new()),
            ];
            let decoded = Decoder::new().decode(&block(&fields)).unwrap();
            let decoded: Vec<_> =
                decoded.iter().map(|(name, value)| (wire::text(name), wire::text(value))).collect();
            assert_eq!(decoded, fields, "{length}");
        }
    }

    #[test]
    fn a_long_block_is_sent_in_several_frames() {
        let mut bytes = Vec::new();
        put_headers(&mut bytes, &vec![7; MAX_FRAME + 1], true);
        let second = 9 + MAX_FRAME;
        assert_eq!(bytes[..9], [0, 0x40, 0, HEADERS, END_STREAM, 0, 0, 0, 1]);
        assert_eq!(bytes[second..], [0, 0, 1, CONTINUATION, END_HEADERS, 0, 0, 0, 1, 7]);
    }

    #[test]
    fn a_reset_can_be_told_from_other_errors() {
        let error = io::Error::other(Reset::Stream(1));
        assert_eq!(Reset::of(&error), Some(Reset::Stream(1)));
        assert_eq!(error.to_string(), "the stream was reset with error code 1");
        assert_eq!(Reset::of(&io::ErrorKind::TimedOut.into()), None);
    }
}
