//! Policies, tokens and requests at random: each document on a listener of ours and on one of the native
//! pair, which must answer alike. `SEED` and `DOCUMENTS` choose which, and how many: `make
//! test-differential`. A case that differs is made as small as it gets, printed, and left in
//! `target/differential.json`. [`istiod`] compares the native pair of these tests with istiod's own.

mod istiod;
mod random;
mod smaller;

use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::{env, fs, io};

use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::listener::{listener, ours};
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::wire::Head;
use jwt_rbac_e2e::{artifacts, check, native};
use serde_json::{Value, json};

use random::Random;

/// How many requests each document gets.
const REQUESTS: usize = 100;
/// How many documents one Envoy has.
const BATCH: usize = 50;

#[test]
fn policies_answer_as_the_native_pair() {
    let (seed, documents) = (number("SEED", 1), number("DOCUMENTS", 200));
    let mut random = Random::new(seed);
    let tokens = random::tokens("https://tenant.auth0.com/");
    let seconds = random::tokens("https://other.example.com");
    let mut counts = [0_u64; 3];
    let mut left = documents;
    while left > 0 {
        let batch = left.min(BATCH as u64);
        left -= batch;
        let batch: Vec<Value> = (0..batch).map(|_| random.document()).collect();
        let envoy = start(&batch);
        for (place, document) in batch.iter().enumerate() {
            let mut connections = Connections::open(&envoy, &both(place));
            for _ in 0..REQUESTS {
                let request = random.request(&tokens, &seconds);
                let [ours, theirs] = connections.answers(&request);
                match ours.status {
                    200 => counts[0] += 1,
                    401 => counts[1] += 1,
                    _ => counts[2] += 1,
                }
                if Outcome::of(&ours) != Outcome::of(&theirs) && !native::misreads(&request) {
                    fail(seed, document, &request, &tokens);
                }
            }
        }
    }
    let all = documents * REQUESTS as u64;
    let [allowed, unauthenticated, denied] = counts;
    println!(
        "seed {seed}: {all} requests over {documents} documents: {allowed} allowed, \
         {unauthenticated} times 401, {denied} times 403"
    );
    for count in counts {
        assert!(count * 10 >= all, "one outcome is rarer than one in ten: {counts:?}");
    }
}

/// A number from the environment.
fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Ends the test with a case that is as small as it gets.
fn fail(seed: u64, document: &Value, request: &Request, tokens: &[String]) -> ! {
    let (document, request) = smaller::smallest(document, request);
    let envoy = start(std::slice::from_ref(&document));
    let [ours, theirs] = Connections::open(&envoy, &both(0)).answers(&request);
    let claims = tokens
        .iter()
        .position(|token| request.headers.iter().any(|(_, value)| value.ends_with(token.as_str())));
    let headers: Vec<_> =
        request.headers.iter().filter(|(name, _)| name != "authorization").collect();
    let mut rules = document["jwtRules"].clone();
    for rule in rules.as_array_mut().into_iter().flatten() {
        rule.as_object_mut().map(|rule| rule.remove("jwks"));
    }
    let case = json!({
        "seed": seed,
        "document": {
            "jwtRules": rules,
            "trustDomains": document["trustDomains"],
            "authorizationPolicies": document["authorizationPolicies"],
        },
        "request": format!("{} {}", request.method, request.target),
        "headers": headers,
        "token": claims.map(|number| random::claims()[number].clone()),
        "ours": check::summary(&ours),
        "native": check::summary(&theirs),
    });
    let text = format!("{case:#}");
    let path = artifacts::root().join("target/differential.json");
    if let Err(error) = fs::write(&path, &text) {
        println!("{}: {error}", path.display());
    }
    panic!("the native pair answers otherwise:\n{text}");
}

/// An Envoy with these documents, each on two listeners.
fn start(documents: &[Value]) -> Envoy {
    let mut listeners = Vec::new();
    for (place, document) in documents.iter().enumerate() {
        let filters = native::filters(document).expect("the pair has words for it");
        let [with_ours, with_theirs] = both(place);
        listeners.push(ours(&with_ours, document));
        listeners.push(listener(&with_theirs, &filters));
    }
    Envoy::before_upstream(&listeners, None)
}

/// The names of the two listeners of a document.
fn both(place: usize) -> [String; 2] {
    [format!("d{place}"), format!("d{place}.other")]
}

/// A connection to each of two listeners.
struct Connections([BufReader<TcpStream>; 2]);

impl Connections {
    fn open(envoy: &Envoy, listeners: &[String; 2]) -> Self {
        let connect = |name: &String| {
            let address: SocketAddr = envoy.address(name);
            let stream = TcpStream::connect(address).expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            BufReader::new(stream)
        };
        Self(listeners.each_ref().map(connect))
    }

    fn answers(&mut self, request: &Request) -> [Response; 2] {
        let bytes = request.bytes();
        for connection in &mut self.0 {
            connection.get_mut().write_all(&bytes).expect("a request is sent");
        }
        self.0.each_mut().map(|connection| {
            read(connection).unwrap_or_else(|error| panic!("{request:?}: {error}"))
        })
    }
}

fn read(connection: &mut BufReader<TcpStream>) -> io::Result<Response> {
    let head = Head::read(connection)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let body = head.read_body(connection, false)?;
    let status = head.start.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Response { status: status.ok_or(io::ErrorKind::InvalidData)?, head, body })
}
