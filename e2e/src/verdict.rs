//! What the decision code says of a request, outside of Envoy: several refusals have the same text
//! of a 401, so a response does not tell which one it was.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::decision::{self, Verdict};
use jwt_rbac::document::Document;
use jwt_rbac::refusal::Refusal;
use jwt_rbac::request;
use jwt_rbac::worker::Worker;
use jwt_rbac_explain::header;
use jwt_rbac_explain::peer::Peer;
use serde_json::Value;

use crate::client::Request;

/// Why a request is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The refusal.
    pub refusal: Refusal,
    /// The name of the route that the request has.
    pub rule: Option<String>,
}

/// The document as the filter has it.
pub fn compile(document: &Value) -> Document {
    match jwt_rbac_config::compile(document.to_string().as_bytes(), &mut RustCrypto) {
        Ok((document, _)) => document,
        Err(problems) => panic!("{:?}: {document}", problems.errors.first()),
    }
}

/// What is wrong with a document: `place: message`, one for each mistake. Empty if it loads.
pub fn errors(document: &Value) -> Vec<String> {
    match jwt_rbac_config::compile(document.to_string().as_bytes(), &mut RustCrypto) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.errors.iter().map(ToString::to_string).collect(),
    }
}

/// Why the document denies this request, if it does.
pub fn denial(document: &Document, request: &Request) -> Option<Denial> {
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let lines = header::lines(&request.method, &request.target, request.authority(), headers);
    let lines: Vec<request::Header<'_>> =
        lines.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    let request = match request::Request::read(&lines) {
        Ok(request) => request,
        Err(refusal) => return Some(Denial { refusal, rule: None }),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    let peer = peer();
    let request = request.with_connection(&peer);
    let decision = decision::decide(document, &mut Worker::new(document), &request, now.as_secs());
    match &decision.verdict {
        Verdict::Allow(_) | Verdict::WouldDeny(..) | Verdict::Wait => None,
        Verdict::Deny(denial) => {
            let refusal = denial.refusal;
            Some(Denial { refusal, rule: decision.rule().map(str::to_owned) })
        }
    }
}

/// The connection of the tests in Envoy: without TLS, and without a proxy before.
pub fn peer() -> Peer {
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
    Peer { remote_ip: Some(local.ip()), local: Some(local), principal: None }
}
