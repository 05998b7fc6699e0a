//! The server of an issuer's keys, which can misbehave in every way that one does.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::wire::Head;

/// The cluster of Envoy that leads to the server.
pub const CLUSTER: &str = "keys";

/// A JWT rule whose keys come from that cluster.
pub fn rule() -> Value {
    json!({
        "issuer": "https://tenant.auth0.com/",
        "audiences": ["https://bookinfo.io"],
        "jwksUri": "http://keys.test/jwks",
        "jwksCluster": CLUSTER,
        "jwksRefreshInterval": "5s",
        "allowInsecureJwks": true,
    })
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// It answers with this status, these further headers and this body.
    Answers {
        /// The status.
        status: u16,
        /// Further headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The same, after this time.
    Late(Duration, Vec<u8>),
    /// It never answers.
    Hangs,
    /// It closes the connection.
    Closes,
}

impl Behaviour {
    /// It serves a key set.
    pub fn serves(key_set: &Value) -> Self {
        Self::body(200, key_set.to_string().as_bytes())
    }

    /// It answers with this status and body.
    pub fn body(status: u16, body: &[u8]) -> Self {
        Self::Answers { status, headers: Vec::new(), body: body.to_vec() }
    }
}

/// A running server. Its threads end with the process.
#[derive(Clone, Debug)]
pub struct KeyServer {
    /// Where it listens.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    asked: Vec<String>,
}

impl KeyServer {
    /// Starts one on a free port.
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let state = Arc::new(Mutex::new(State { behaviour, asked: Vec::new() }));
        let server = Self { address, state };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                // If a connection breaks, Envoy notices.
                thread::spawn(move || server.serve(&stream));
            }
        });
        server
    }

    /// Changes what it does from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    /// The targets that it was asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    /// The bootstrap's entry of a cluster of this name before it.
    pub fn cluster(&self, name: &str) -> Value {
        crate::bootstrap::cluster(name, self.address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        while let Some(head) = Head::read(&mut reader)? {
            let target = head.start.split(' ').nth(1).unwrap_or_default().to_owned();
            let behaviour = {
                let mut state = self.state();
                state.asked.push(target);
                state.behaviour.clone()
            };
            let (status, headers, body) = match behaviour {
                Behaviour::Answers { status, headers, body } => (status, headers, body),
                Behaviour::Late(time, body) => {
                    thread::sleep(time);
                    (200, Vec::new(), body)
                }
                Behaviour::Hangs => loop {
                    thread::park();
                },
                Behaviour::Closes => return Ok(()),
            };
            let start = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let head = start + &headers.collect::<String>() + "\r\n";
            reader.get_mut().write_all(&[head.into_bytes(), body].concat())?;
        }
        Ok(())
    }
}
