//! A document of a test, and one decision with it.

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::decision::{Decision, decide};
use jwt_rbac::document::Document;
use jwt_rbac::request::Request;
use jwt_rbac::worker::Worker;
use serde_json::Value;

/// The document, which has no fault.
#[track_caller]
pub fn compile(document: &Value) -> Document {
    jwt_rbac_config::compile(document.to_string().as_bytes(), &mut RustCrypto)
        .map_err(|found| found.errors)
        .unwrap()
        .0
}

/// Decides with a worker that has seen nothing yet.
pub fn decide_once<'d, 'r>(
    document: &'d Document,
    request: &Request<'r>,
    now: u64,
) -> Decision<'d, 'r> {
    decide(document, &mut Worker::new(document), request, now)
}
