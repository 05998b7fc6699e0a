//! The verifier that the filter has in Envoy against the vectors of the root package: each is sent
//! as a request to a real Envoy, with the module of this package in it.

#[path = "../../../tests/vectors/mod.rs"]
mod vectors;

use std::fmt::Write as _;
use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::package;
use jwt_rbac_e2e::wire::{self, Head};
use serde_json::json;
use vectors::{Expected, Vector};

#[test]
fn every_vector_has_its_verdict_in_envoy() {
    let module = package::module("jwt-rbac-vectors").unwrap();
    let filter = filters::jwt_rbac("vectors", &json!({}), &module);
    let listeners = [listener("vectors", &[filter])];
    let envoy = Envoy::before_upstream(&listeners, None);
    let mut connection = Connection::open(envoy.address("vectors")).expect("Envoy listens");
    let vectors = vectors::all();
    let mut wrong = Vec::new();
    for vector in &vectors {
        let answer = connection.send(vector);
        let answer =
            answer.unwrap_or_else(|error| panic!("{}: {error}\n{}", vector.name, envoy.log_tail()));
        if answer != expected(vector) {
            wrong.push(format!("{}: {answer:?}", vector.name));
        }
    }
    println!("{} vectors", vectors.len());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), vectors.len());
}

/// Status and body. The body holds that Envoy does what it can: a filter that always does the work
/// itself would give the same verdicts, many times slower.
fn expected(vector: &Vector) -> (u16, String) {
    let checked_by = match vector.algorithm {
        "ES256" | "ES384" | "ES512" | "RS256" | "RS384" | "RS512" => "Envoy",
        _ => "module",
    };
    let (status, body) = match vector.expected {
        Expected::Verified => (200, checked_by),
        Expected::Refused => (403, checked_by),
        Expected::KeyRefused => (422, "key"),
    };
    (status, body.to_owned())
}

/// One connection for all requests: a new one for each would take most of the time.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    fn send(&mut self, vector: &Vector) -> io::Result<(u16, String)> {
        let Vector { jwk, algorithm, signed, signature, .. } = vector;
        let request = format!(
            "GET / HTTP/1.1\r\nhost: vectors\r\nx-jwk: {jwk}\r\nx-algorithm: {algorithm}\r\n\
             x-signed: {}\r\nx-signature: {}\r\n\r\n",
            digits(signed),
            digits(signature),
        );
        self.0.get_mut().write_all(request.as_bytes())?;
        let head = Head::read(&mut self.0)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = head.start.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = head.read_body(&mut self.0, true)?;
        Ok((status.ok_or(io::ErrorKind::InvalidData)?, wire::text(&body)))
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a String takes everything");
        digits
    })
}
