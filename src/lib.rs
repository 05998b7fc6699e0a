//! A Proxy-Wasm HTTP filter that verifies the JSON Web Token of a request, maps the permissions it
//! grants to the route that is asked for, and answers the request itself if it is denied.
//!
//! The way of a request through the modules, which is also the order to read them in:
//!
//! | module | what it does |
//! |---|---|
//! | `plugin` | takes Envoy's callbacks; the only caller of `host`, the calls back (wasm32 only) |
//! | [`request`] | a request as plain values |
//! | [`decision`] | the order of a decision: route, token, authorization |
//! | [`authz`] | which route a request has, and whether an identity may use it |
//! | [`authn`] | from a request to the identity that its token proves |
//! | [`forward`] | what of an allowed request the workload receives |
//! | [`refusal`], [`denial`], [`response`] | why a request is denied, and what the client is told |
//! | [`telemetry`] | what is said about a decision: log, counters, access logs |
//! | [`mask`] | what a client wrote, as it may be shown |
//! | [`config`] | from `pluginConfig` to the compiled [`document`] |
//!
//! Everything but `plugin` and `host` is plain code that knows no host: the tests and `make try` run
//! the same.

pub mod authn;
pub mod authz;
pub mod config;
pub mod decision;
pub mod denial;
pub mod document;
pub mod forward;
pub mod header_names;
pub mod json;
pub mod mask;
pub mod percent;
pub mod permissions;
pub mod refusal;
pub mod request;
pub mod response;
pub mod scalar;
pub mod telemetry;

/// Public for `e2e/vectors` alone, which checks signatures as the filter does in Envoy.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod host;
#[cfg(all(target_arch = "wasm32", feature = "plugin"))]
mod plugin;
