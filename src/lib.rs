//! Verifies the JSON Web Token of a request, maps the permissions that it grants to the route that is
//! asked for, and decides: the request continues, or it is answered.
//!
//! This package is the decision. It knows no host and no configuration text, so that the filter in
//! Envoy, the command line and the tests run the same code. Around it:
//!
//! | package | what it does |
//! |---|---|
//! | `config` | from the text of a `pluginConfig` to a [`document::Document`] |
//! | `filter` | Envoy's callbacks: request headers to [`decision::decide`], and its answer to Envoy |
//! | `host` | Envoy's calls as functions, and its signature check |
//! | `explain` | a decision step by step, for the tools |
//! | `cli`, `e2e`, `bench`, `xtask` | the command line, the tests, the benchmarks, the build |
//!
//! The way of a request through the modules, which is also the order to read them in:
//!
//! | module | what it does |
//! |---|---|
//! | [`request`] | a request as plain values |
//! | [`decision`] | the order of a decision: route, token, authorization |
//! | [`document`], [`worker`] | what the operator wants, and what a worker remembers |
//! | [`authz`] | which route a request has, and whether an identity may use it |
//! | [`authn`] | from a request to the identity that its token proves |
//! | [`forward`] | what of an allowed request the workload receives |
//! | [`refusal`], [`denial`], [`response`] | why a request is denied, and what the client is told |
//! | [`telemetry`], [`mask`] | what is said about a decision in logs and counters |
//!
//! ```
//! use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
//! use jwt_rbac::decision::decide;
//! use jwt_rbac::request::Request;
//! use jwt_rbac::worker::Worker;
//!
//! let text = br#"{"routes": [{"name": "health", "paths": ["/health"], "access": "PUBLIC"}]}"#;
//! let (document, _problems) = jwt_rbac_config::compile(text, &mut RustCrypto).expect("no errors");
//! let mut worker = Worker::new(&document);
//!
//! let headers: &[(&[u8], &[u8])] =
//!     &[(b":authority", b"reviews"), (b":method", b"GET"), (b":path", b"/admin")];
//! let request = Request::read(headers).expect("it has a method and a path");
//! let decision = decide(&document, &mut worker, &request, 1_800_000_000);
//! assert_eq!(decision.verdict.word(), "deny");
//! assert_eq!(decision.verdict.refusal().map(|refusal| refusal.slug()), Some("route_unmatched"));
//! ```

pub mod authn;
pub mod authz;
pub mod by_name;
pub mod decision;
pub mod denial;
pub mod document;
pub mod forward;
pub mod header_names;
pub mod in_order;
pub mod json;
pub mod mask;
pub mod percent;
pub mod permissions;
pub mod query;
pub mod refusal;
pub mod request;
pub mod response;
pub mod scalar;
pub mod telemetry;
pub mod worker;
