//! One attack, and what it means that it held.

use std::fmt;
use std::io::{self, ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jwt_rbac_e2e::check;
use jwt_rbac_e2e::client::{self, Request, Response};
use jwt_rbac_e2e::http2::{self, Reset};
use jwt_rbac_e2e::protocol::Protocol;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::wire::{self, Fields};

use crate::documents;

/// Something a hostile client sends.
pub struct Attack {
    /// What it is, in a few words.
    pub name: String,
    /// Where it comes from: an advisory, a section of an RFC, or what else describes it.
    pub source: &'static str,
    /// The listener that gets it.
    pub listener: &'static str,
    /// The bytes.
    pub sent: Sent,
    /// What must come of it.
    pub outcome: Outcome,
}

/// The header by which the workload knows an attack that is sent as [`Sent::Stream`].
pub const MARK: &str = "x-attack";
/// How long a connection that has answered is listened to.
const IDLE: Duration = Duration::from_millis(150);

/// How it is sent.
pub enum Sent {
    /// Over HTTP/1.1 and over HTTP/2, in a connection each.
    Request(Request),
    /// These bytes.
    Http1(Vec<u8>),
    /// These bytes, in which one reader may see more requests than another. All that comes back is read,
    /// and compared with what has reached the workload with this [`MARK`].
    Stream(Vec<u8>, String),
    /// These fields, pseudo headers among them, over HTTP/2.
    Http2(Fields),
    /// A request with trailers, over HTTP/1.1 and over HTTP/2.
    Trailers(Request, Fields),
}

/// What must come of it. A status of 500 or more never holds: 503 is what Envoy answers when the
/// filter has trapped.
pub enum Outcome {
    /// 401: the token is no good.
    Unauthenticated,
    /// 403: nothing that the client has said opens the route.
    Denied,
    /// Any refusal: 400 to 431, a reset, a closed connection.
    Refused,
    /// If the workload is reached at all, it sees nothing wrong.
    Harmless(Look),
    /// The workload is reached, and sees nothing wrong.
    Reached(Look),
}

/// What is wrong with a request that reached the workload.
pub type Look = Box<dyn Fn(&Seen) -> Result<(), String>>;

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unauthenticated => "401",
            Self::Denied => "403",
            Self::Refused => "a refusal",
            Self::Harmless(_) => "a refusal, or a harmless request at the workload",
            Self::Reached(_) => "a harmless request at the workload",
        })
    }
}

impl Attack {
    /// A request for the table of [`documents`].
    pub fn new(
        name: impl Into<String>,
        source: &'static str,
        request: Request,
        outcome: Outcome,
    ) -> Self {
        let sent = Sent::Request(request);
        Self { name: name.into(), source, listener: documents::TABLE, sent, outcome }
    }

    /// A token for the admin's route, which must be refused.
    pub fn token(name: impl Into<String>, source: &'static str, token: &str) -> Self {
        Self::new(name, source, Request::get("/admin").bearer(token), Outcome::Unauthenticated)
    }

    /// Bytes of HTTP/1.1.
    pub fn http1(
        name: impl Into<String>,
        source: &'static str,
        bytes: impl Into<Vec<u8>>,
        outcome: Outcome,
    ) -> Self {
        let sent = Sent::Http1(bytes.into());
        Self { name: name.into(), source, listener: documents::TABLE, sent, outcome }
    }

    /// Bytes that may hold more than one request. `mark` is in the [`MARK`] of the first.
    pub fn stream(
        name: impl Into<String>,
        source: &'static str,
        bytes: impl Into<Vec<u8>>,
        mark: &str,
        outcome: Outcome,
    ) -> Self {
        let sent = Sent::Stream(bytes.into(), mark.to_owned());
        Self { name: name.into(), source, listener: documents::TABLE, sent, outcome }
    }

    /// A request with trailers.
    pub fn trailers(
        name: impl Into<String>,
        source: &'static str,
        request: Request,
        trailers: &[(&str, &str)],
        outcome: Outcome,
    ) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sent = Sent::Trailers(request, trailers.iter().map(owned).collect());
        Self { name: name.into(), source, listener: documents::TRAILERS, sent, outcome }
    }

    /// Fields of HTTP/2.
    pub fn http2(
        name: impl Into<String>,
        source: &'static str,
        fields: &[(&str, &str)],
        outcome: Outcome,
    ) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let sent = Sent::Http2(fields.iter().map(owned).collect());
        Self { name: name.into(), source, listener: documents::TABLE, sent, outcome }
    }

    /// The same for another listener.
    #[must_use]
    pub fn on(mut self, listener: &'static str) -> Self {
        self.listener = listener;
        self
    }

    /// What is wrong with what came of it.
    fn failures(&self, address: SocketAddr) -> Vec<String> {
        let answers = match &self.sent {
            Sent::Request(request) => {
                Protocol::ALL.map(|protocol| (protocol, protocol.send(address, request))).into()
            }
            Sent::Http1(bytes) => {
                vec![(Protocol::Http1, client::exchange(address, bytes, false))]
            }
            Sent::Stream(bytes, _) => match client::exchange_all(address, bytes, IDLE) {
                Ok(responses) => {
                    responses.into_iter().map(|response| (Protocol::Http1, Ok(response))).collect()
                }
                Err(error) => vec![(Protocol::Http1, Err(error))],
            },
            Sent::Http2(fields) => vec![(Protocol::Http2, http2::exchange(address, fields, &[]))],
            Sent::Trailers(request, trailers) => {
                let fields = http2::fields_of(request);
                let chunks = request.clone().header("transfer-encoding", "chunked");
                let bytes = [chunks.bytes(), chunked(trailers)].concat();
                let lower =
                    |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
                let trailers: Vec<_> = trailers.iter().map(lower).collect();
                let http2 = http2::exchange_with_trailers(address, &fields, BODY, Some(&trailers));
                vec![
                    (Protocol::Http1, client::exchange(address, &bytes, false)),
                    (Protocol::Http2, http2),
                ]
            }
        };
        if let Sent::Stream(_, mark) = &self.sent {
            let is_seen = |answer: &&(Protocol, io::Result<Response>)| {
                answer.1.as_ref().is_ok_and(|response| Seen::of(response).is_some())
            };
            let answered = answers.iter().filter(is_seen).count();
            let is_marked =
                |seen: &Seen| seen.headers.iter().any(|it| it.0 == MARK && it.1 == *mark);
            let reached = crate::notes().count(is_marked);
            if reached != answered {
                return vec![format!(
                    "{} ({}): {reached} requests have reached the workload, {answered} are answered",
                    self.name, self.source
                )];
            }
        }
        let judged = answers.into_iter().filter_map(|(protocol, answer)| {
            let failure = self.judge(answer).err()?;
            Some(format!("{protocol:?}, {} ({}): {failure}", self.name, self.source))
        });
        judged.collect()
    }

    fn judge(&self, answer: io::Result<Response>) -> Result<(), String> {
        let response = match answer {
            Ok(response) => response,
            Err(error) if is_hang_up(&error) => {
                return match self.outcome {
                    Outcome::Reached(_) => Err(format!("expected {}, got {error}", self.outcome)),
                    // A connection that ends is a refusal of whatever kind.
                    _ => Ok(()),
                };
            }
            Err(error) => return Err(format!("expected {}, got {error}", self.outcome)),
        };
        let seen = Seen::of(&response);
        // Envoy answers an unknown coding of a body with 501, and a denied gRPC request with 200 and
        // a status of its own (`Grpc::Utility::httpToGrpcStatus`).
        let is_grpc_denial = response.status == 200
            && matches!(response.header("grpc-status").as_deref(), Some("7" | "16"));
        let is_refused = matches!(response.status, 400..=431 | 501) || is_grpc_denial;
        let held = match (&self.outcome, &seen) {
            (Outcome::Unauthenticated, None) => response.status == 401,
            (Outcome::Denied, None) => response.status == 403,
            (Outcome::Refused | Outcome::Harmless(_), None) => is_refused,
            (Outcome::Harmless(look) | Outcome::Reached(look), Some(seen)) => return look(seen),
            (Outcome::Unauthenticated | Outcome::Denied | Outcome::Refused, Some(_))
            | (Outcome::Reached(_), None) => false,
        };
        if held {
            return Ok(());
        }
        Err(format!("expected {}, got {}", self.outcome, check::summary(&response)))
    }
}

/// Fails if an attack of this group gets in, or harms the requests after it. Says how many were
/// tried.
pub fn run(group: &str, attacks: &[Attack]) {
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    let envoy = crate::envoy();
    let mut failures = Vec::new();
    for attack in attacks {
        let address = envoy.address(attack.listener);
        failures.extend(attack.failures(address));
        let good = documents::good(attack.listener).send(address);
        let status = good.as_ref().map(|response| response.status);
        if !matches!(status, Ok(200)) {
            let after = format!("{} ({})", attack.name, attack.source);
            failures.push(format!("after {after}: expected 200, got {good:?}"));
        }
    }
    failures.extend(envoy.traps());
    let (count, listed) = (failures.len(), failures.join("\n"));
    assert!(failures.is_empty(), "{listed}\n{count} failures");
    let tried = TRIED.fetch_add(attacks.len(), Ordering::Relaxed) + attacks.len();
    // Not `println!`, which the test runner keeps to itself.
    let _ = writeln!(io::stdout(), "attacks: {} on {group} held, {tried} so far", attacks.len());
}

/// The body of a request with trailers.
const BODY: &[u8] = b"abc";

/// [`BODY`] and trailers, as a chunked body (RFC 9112 §7.1).
fn chunked(trailers: &[(String, String)]) -> Vec<u8> {
    let lines = trailers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let lines = lines.collect::<Vec<_>>().concat();
    [b"3\r\n", BODY, b"\r\n0\r\n", &wire::bytes(&lines), b"\r\n"].concat()
}

/// Whether the peer ended the exchange without an answer.
fn is_hang_up(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::UnexpectedEof,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::BrokenPipe,
    ];
    Reset::of(error).is_some() || kinds.contains(&error.kind())
}
