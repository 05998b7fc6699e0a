//! HTTP/1.1 messages as bytes: just enough of RFC 9112 to see exactly what was sent, with no
//! library between the test and the socket that would change it.
//!
//! Text of a message is held as ISO 8859-1, so that every byte is one character and nothing is
//! lost.

use std::io::{self, BufRead, Read};

pub use jwt_rbac_explain::header::bytes;

/// The start line and the headers of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Request line or status line.
    pub start: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Reads one; `None` when the peer closed before its first byte.
    ///
    /// # Errors
    ///
    /// Those of the socket, and a connection that ends in the middle of a head.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(start) = line(reader)? else {
            return Ok(None);
        };
        let headers = fields(reader)?;
        Ok(Some(Self { start, headers }))
    }

    /// Every value of a header, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |pair: &&(String, String)| pair.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|pair| pair.1.as_str())
    }

    /// Reads the body that this head announces; `until_close` when a body without length goes
    /// on to the end of the connection (responses do, requests don't).
    ///
    /// # Errors
    ///
    /// Those of the socket, and a length or a chunk that makes no sense.
    pub fn read_body(&self, reader: &mut impl BufRead, until_close: bool) -> io::Result<Vec<u8>> {
        self.read_body_and_trailers(reader, until_close).map(|(body, _)| body)
    }

    /// The same, with the trailers that stand behind the body.
    ///
    /// # Errors
    ///
    /// As [`Self::read_body`].
    pub fn read_body_and_trailers(
        &self,
        reader: &mut impl BufRead,
        until_close: bool,
    ) -> io::Result<(Vec<u8>, Fields)> {
        if self.values("transfer-encoding").any(|value| value.contains("chunked")) {
            return chunks(reader);
        }
        let mut body = Vec::new();
        match self.values("content-length").next() {
            Some(length) => {
                let length: u64 = length.parse().map_err(invalid)?;
                reader.take(length).read_to_end(&mut body)?;
                if body.len() as u64 != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            None if until_close => drop(reader.read_to_end(&mut body)?),
            None => {}
        }
        Ok((body, Vec::new()))
    }
}

/// Names and values, in order.
pub type Fields = Vec<(String, String)>;

/// The characters of ISO 8859-1 for these bytes.
pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// One line without its end; `None` at the end of the connection.
fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    while line.last().is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
        line.pop();
    }
    Ok(Some(text(&line)))
}

/// Fields up to the empty line behind them.
fn fields(reader: &mut impl BufRead) -> io::Result<Fields> {
    let mut fields = Vec::new();
    loop {
        let line = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
}

fn chunks(reader: &mut impl BufRead) -> io::Result<(Vec<u8>, Fields)> {
    let mut body = Vec::new();
    loop {
        let size = line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(invalid)?;
        if size == 0 {
            return Ok((body, fields(reader)?));
        }
        reader.take(size).read_to_end(&mut body)?;
        line(reader)?;
    }
}

fn invalid(error: std::num::ParseIntError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_as_text() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&text(&all)), all);
        assert_eq!(bytes("\u{20ac}"), "\u{20ac}".as_bytes());
    }

    #[test]
    fn reads_a_chunked_response() {
        let mut reader: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: \xff\r\n\r\n\
                                  3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nY: z\r\n\r\n";
        let head = Head::read(&mut reader).unwrap().unwrap();
        assert_eq!(head.values("x").collect::<Vec<_>>(), ["\u{ff}"]);
        let (body, trailers) = head.read_body_and_trailers(&mut reader, true).unwrap();
        assert_eq!(body, b"abcde");
        assert_eq!(trailers, [("Y".to_owned(), "z".to_owned())]);
    }

    #[test]
    fn a_head_that_breaks_off_is_an_error() {
        let mut reader: &[u8] = b"HTTP/1.1 200 OK\r\nA: b\r\n";
        assert!(Head::read(&mut reader).is_err());
        let mut nothing: &[u8] = b"";
        assert_eq!(Head::read(&mut nothing).unwrap(), None);
    }
}
