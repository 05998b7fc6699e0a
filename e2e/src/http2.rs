//! Just enough HTTP/2 (RFC 9113) to send what HTTP/1.1 can't carry through Envoy, such as a method
//! in lower case: one request without a body on a connection of its own, and the body of its answer.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::client::Request;
use crate::wire;

/// How long an answer may take, as in [`crate::client`].
const TIMEOUT: Duration = Duration::from_secs(20);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const STREAM: u32 = 1;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// One frame (RFC 9113 §4.1).
struct Frame {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

/// Sends the request and reads the body of the answer. Its status and headers are compressed, and
/// nobody here needs them: the workload's body is not Envoy's.
///
/// # Errors
///
/// Those of the socket, a time-out, and a stream that is reset.
pub fn body(address: SocketAddr, request: &Request) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    let head = Frame { kind: HEADERS, flags: END_STREAM | END_HEADERS, payload: block(request) };
    let settings = Frame { kind: SETTINGS, flags: 0, payload: Vec::new() };
    stream.write_all(&[PREFACE.to_vec(), settings.bytes(0), head.bytes(STREAM)].concat())?;
    let mut body = Vec::new();
    loop {
        let Frame { kind, flags, payload } = Frame::read(&mut stream)?;
        match kind {
            DATA => body.extend(payload),
            SETTINGS if flags & ACK == 0 => {
                let ack = Frame { kind: SETTINGS, flags: ACK, payload: Vec::new() };
                stream.write_all(&ack.bytes(0))?;
            }
            RESET | GO_AWAY => return Err(io::Error::other(format!("frame {kind}: {payload:?}"))),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            return Ok(body);
        }
    }
}

impl Frame {
    fn bytes(&self, stream: u32) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a short frame").to_be_bytes();
        let head = [&length[1..], &[self.kind, self.flags], &stream.to_be_bytes()].concat();
        [head, self.payload.clone()].concat()
    }

    fn read(reader: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 9];
        reader.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload)?;
        Ok(Self { kind: head[3], flags: head[4], payload })
    }
}

/// The headers as literals that nobody remembers (RFC 7541 §6.2.2), without Huffman's code.
fn block(request: &Request) -> Vec<u8> {
    let pseudo = [
        (":method", request.method.as_str()),
        (":scheme", "http"),
        (":authority", request.authority()),
        (":path", request.target.as_str()),
    ];
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers = headers.filter(|(name, _)| *name != "host");
    let mut block = Vec::new();
    for (name, value) in pseudo.into_iter().chain(headers) {
        block.push(0);
        string(&mut block, &name.to_ascii_lowercase());
        string(&mut block, value);
    }
    block
}

/// A text with its length before it (RFC 7541 §5.1 and §5.2).
fn string(block: &mut Vec<u8>, text: &str) {
    const LARGEST: usize = 127;
    let text = wire::bytes(text);
    let mut rest = text.len();
    if rest < LARGEST {
        block.push(u8::try_from(rest).expect("below 127"));
    } else {
        block.push(127);
        rest -= LARGEST;
        while rest >= 128 {
            block.push(u8::try_from(rest % 128 + 128).expect("a byte"));
            rest /= 128;
        }
        block.push(u8::try_from(rest).expect("below 128"));
    }
    block.extend(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541 §C.1.2: 1337 in a prefix of five bits; here one of seven.
    #[test]
    fn long_texts_have_long_lengths() {
        let mut block = Vec::new();
        string(&mut block, &"x".repeat(1337));
        assert_eq!(block[..3], [127, 186, 9]);
        assert_eq!(block.len(), 3 + 1337);
    }
}
