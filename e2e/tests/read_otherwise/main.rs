//! What the router or a workload could read otherwise than the filter: methods that are not in
//! upper case, credentials behind other words, preflights to closed paths, texts of a client in our
//! own headers. Each is sent over HTTP/1.1 and HTTP/2.

mod challenges;
mod credentials;
mod documents;
mod methods;
mod preflights;
mod upgrades;

use std::io;
use std::sync::Arc;

use jwt_rbac_e2e::check;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::http2::Reset;
use jwt_rbac_e2e::listener::{DETAILS_HEADER, ours, with_tunnels};
use jwt_rbac_e2e::protocol::Protocol;
use jwt_rbac_e2e::shared::SharedEnvoy;
use jwt_rbac_e2e::upstream::Seen;
use jwt_rbac_e2e::{artifacts, filters};

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The workload answers it.
    Reached,
    /// 403, with this rule and reason, `[rule]{reason}`.
    Denied(&'static str),
    /// 401, with these details.
    Unauthenticated(&'static str),
    /// Envoy refuses it before any filter.
    Invalid,
}

impl Outcome {
    /// What the workload got of a request, if this is what comes of it.
    fn expect(self, answer: io::Result<Response>) -> Result<Option<Seen>, String> {
        let response = match answer {
            Err(error) if Reset::of(&error).is_some() && self == Self::Invalid => return Ok(None),
            Err(error) => return Err(format!("expected {self:?}, got {error}")),
            Ok(response) => response,
        };
        let seen = Seen::of(&response);
        let details = response.header(DETAILS_HEADER).unwrap_or_default();
        let is_right = match self {
            Self::Reached => response.status == 200 && seen.is_some(),
            Self::Denied(reason) => {
                let prefix = "rbac_access_denied_matched_policy";
                response.status == 403 && details.strip_prefix(prefix) == Some(reason)
            }
            Self::Unauthenticated(reason) => response.status == 401 && details == reason,
            Self::Invalid => response.status == 400 && seen.is_none(),
        };
        if is_right {
            Ok(seen)
        } else {
            Err(format!("expected {self:?}, got {}", check::summary(&response)))
        }
    }
}

/// The requests of a test, and what was wrong with their answers.
struct Checks {
    envoy: Arc<Envoy>,
    failures: Vec<String>,
}

impl Checks {
    fn start() -> Self {
        Self { envoy: envoy(), failures: Vec::new() }
    }

    /// Sends a request over both protocols.
    fn expect(&mut self, listener: &str, request: &Request, outcome: Outcome) {
        self.expect_seen(listener, request, outcome, |_| Ok(()));
    }

    /// The same; `see` looks at what the workload got.
    fn expect_seen(
        &mut self,
        listener: &str,
        request: &Request,
        outcome: Outcome,
        see: impl Fn(&Seen) -> Result<(), String>,
    ) {
        for protocol in Protocol::ALL {
            self.check(protocol, listener, request, |answer| {
                outcome.expect(answer)?.as_ref().map_or(Ok(()), &see)
            });
        }
    }

    /// Sends a request over one of them; `judge` says what is wrong with its answer.
    fn check(
        &mut self,
        protocol: Protocol,
        listener: &str,
        request: &Request,
        judge: impl FnOnce(io::Result<Response>) -> Result<(), String>,
    ) {
        let answer = protocol.send(self.envoy.address(listener), request);
        if let Err(failure) = judge(answer) {
            let request = told(request);
            self.failures.push(format!("{protocol:?}, {listener}, {request}: {failure}"));
        }
    }

    fn report(self) {
        let (failures, count) = (self.failures.join("\n"), self.failures.len());
        assert!(failures.is_empty(), "{failures}\n{count} failures");
    }
}

/// A request in one line, its long parts cut.
fn told(request: &Request) -> String {
    let cut = |text: &str, length: usize| text.chars().take(length).collect::<String>();
    let headers = request.headers.iter().map(|(name, value)| format!("{name}: {}", cut(value, 60)));
    let headers: Vec<String> = headers.collect();
    format!("{} {} {headers:?}", request.method, cut(&request.target, 100))
}

fn envoy() -> Arc<Envoy> {
    static ENVOY: SharedEnvoy = SharedEnvoy::new();
    ENVOY.get(|| {
        let module = artifacts::wasm().unwrap_or_else(|error| panic!("{error}"));
        let mut listeners: Vec<_> = [
            challenges::documents(),
            credentials::documents(),
            methods::documents(),
            preflights::documents(),
        ]
        .into_iter()
        .flatten()
        .map(|(name, document)| ours(name, &document))
        .collect();
        let upgrades = filters::jwt_rbac(upgrades::LISTENER, &upgrades::document(), &module);
        listeners.push(with_tunnels(upgrades::LISTENER, &[upgrades]));
        Envoy::before_upstream(&listeners, None)
    })
}
