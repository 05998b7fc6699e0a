//! Connections that are kept alive, for programs that send as many requests as Envoy takes.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::wire::Head;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Several connections to one listener.
#[derive(Debug)]
pub struct Connections(Vec<BufReader<TcpStream>>);

impl Connections {
    /// Opens this many.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    pub fn open(address: SocketAddr, count: usize) -> io::Result<Self> {
        let connect = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            Ok(BufReader::new(stream))
        };
        (0..count).map(|_| connect()).collect::<io::Result<_>>().map(Self)
    }

    /// Sends one request on each connection and reads the answers only then, so that Envoy works
    /// while this side writes. Requests beyond the number of connections are not sent. Returns how
    /// many were answered.
    ///
    /// # Errors
    ///
    /// Those of the socket, and an answer with another status.
    pub fn exchange(
        &mut self,
        requests: impl IntoIterator<Item = impl AsRef<[u8]>>,
        status: u16,
    ) -> io::Result<usize> {
        let mut sent = 0;
        for (connection, request) in self.0.iter_mut().zip(requests) {
            connection.get_mut().write_all(request.as_ref())?;
            sent += 1;
        }
        let wanted = format!("HTTP/1.1 {status} ");
        for connection in &mut self.0[..sent] {
            let head = Head::read(connection)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            head.read_body(connection, false)?;
            if !head.start.starts_with(&wanted) {
                return Err(io::Error::other(format!("not {status}: {}", head.start)));
            }
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Request;
    use crate::upstream::Upstream;

    #[test]
    fn every_connection_is_used_again_and_again() {
        let mut connections = Connections::open(Upstream::start().address, 3).unwrap();
        let request = Request::get("/").bytes();
        for count in [3, 1, 2] {
            assert_eq!(connections.exchange(vec![&request; count], 200).unwrap(), count);
        }
        assert_eq!(connections.exchange(vec![&request; 4], 200).unwrap(), 3);
    }

    #[test]
    fn another_status_is_an_error() {
        let mut connections = Connections::open(Upstream::start().address, 1).unwrap();
        let error = connections.exchange([Request::get("/").bytes()], 403).unwrap_err();
        assert_eq!(error.to_string(), "not 403: HTTP/1.1 200 OK");
    }
}
