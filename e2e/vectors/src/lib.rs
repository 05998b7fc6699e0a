//! A Proxy-Wasm module that checks the one signature of each request with the code that checks
//! those of tokens in Envoy, and answers with the verdict.
//!
//! | request header | what it holds |
//! |---|---|
//! | `x-jwk` | the key, as JSON |
//! | `x-algorithm` | the algorithm, as `alg` names it |
//! | `x-signed`, `x-signature` | what is signed and the signature, in hexadecimal digits |
//!
//! | status | what it says |
//! |---|---|
//! | 200, 403 | the signature is one of the key, or not; the body says who has checked it |
//! | 422 | the filter does not accept the key for this algorithm |
//! | 501 | the filter has no code for the algorithm |
//! | 400 | a header is missing or can't be read |

#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, reason = "the entry point that the SDK's macro writes has none")]

use std::cell::RefCell;
use std::rc::Rc;

use jwt_rbac::authn::algorithm::Algorithm;
use jwt_rbac::authn::jwk::Jwk;
use jwt_rbac::authn::price::CheckedBy;
use jwt_rbac::authn::signature::SignatureVerifier as _;
use jwt_rbac_host::signature::Envoy;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Module::default()));
}}

/// The root context.
#[derive(Default)]
struct Module {
    /// One for all requests, because it tries Envoy's function only once.
    verifier: Rc<RefCell<Envoy>>,
}

impl Context for Module {}

impl RootContext for Module {
    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Check { verifier: Rc::clone(&self.verifier) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request.
struct Check {
    verifier: Rc<RefCell<Envoy>>,
}

impl Context for Check {}

impl HttpContext for Check {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let (status, body) = self.verdict().unwrap_or((400, "unreadable"));
        self.send_http_response(status, Vec::new(), Some(body.as_bytes()));
        Action::Pause
    }
}

impl Check {
    fn verdict(&self) -> Option<(u32, &'static str)> {
        // The SDK has no value for a header whose value is empty.
        let header = |name| self.get_http_request_header(name).unwrap_or_default();
        let jwk = serde_json::from_str(&header("x-jwk")).ok()?;
        let algorithm = Algorithm::from_name(&header("x-algorithm"))?;
        let signed = bytes(&header("x-signed"))?;
        let signature = bytes(&header("x-signature"))?;
        let Some(jwk) = Jwk::parse(&jwk, Some(Algorithm::ALL))
            .ok()
            .filter(|jwk| jwk.algorithms.contains(&algorithm))
        else {
            return Some((422, "key"));
        };
        let Some(prepared) = self.verifier.borrow_mut().prepare(&jwk.key, algorithm) else {
            return Some((501, "nobody"));
        };
        let status = if prepared.key.verify(&signed, &signature) { 200 } else { 403 };
        Some((status, if prepared.checked_by == CheckedBy::Wasm { "module" } else { "Envoy" }))
    }
}

/// The bytes that are written as two hexadecimal digits each.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.as_bytes().chunks(2).map(byte).collect()
}
