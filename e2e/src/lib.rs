//! The harness of the end-to-end suites: it starts a real Envoy with the built `jwt_rbac.wasm`,
//! beside it the native pair `jwt_authn` + `rbac` made from the same document, and an upstream
//! that tells what reached it.
//!
//! | module | what it is |
//! |---|---|
//! | [`artifacts`] | where the module, the keys, the callers and Envoy are |
//! | [`package`], [`command_line`] | modules and the program that are packages of this workspace |
//! | [`envoy`] | a running Envoy: ports, admin, log |
//! | [`shared`] | one Envoy for all tests of a suite |
//! | [`bootstrap`], [`listener`], [`filters`] | the configuration that it is started with |
//! | [`lds`] | listeners that a test replaces while Envoy runs |
//! | [`manifests`] | the manifests of `wasmplugin/` |
//! | [`native`] | a document as `jwt_authn` + `rbac` |
//! | [`virtual_hosts`] | a listener whose router has several virtual hosts |
//! | [`wire`], [`client`], [`connections`], [`upstream`] | HTTP/1.1 over raw sockets, byte for byte |
//! | [`http2`], [`protocol`] | HTTP/2 likewise, and a choice of the two |
//! | [`other_names`], [`sent`] | the requests of `docs/workloads.md` |
//! | [`key_server`] | the server of an issuer's keys, and how it misbehaves |
//! | [`workload`] | a program that reads requests as real workloads do |
//! | [`issuer`] | the issuer of `make run` |
//! | [`tokens`], [`garbage`] | valid and invalid tokens, and bytes that are no token |
//! | [`cases`], [`headers`] | `testdata/cases/*.yaml` |
//! | [`check`], [`twin`] | what a response must be: by its case, and by the native pair |
//! | [`challenge`] | a challenge, parsed as strictly as RFC 9110 defines it |
//! | [`verdict`], [`decision_log`] | why a request is denied: by the decision code, and by Envoy's log |
//! | [`samples`] | for each refusal a request that ends in it |
//! | [`page`] | pages of the docs, and what in them is generated |
//!
//! Nothing here is part of the product. A harness that can't go on panics with a message, because
//! the test that uses it has failed then.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a panic is how a test harness reports, and every function here would say so"
)]

pub mod artifacts;
pub mod cases;
pub mod challenge;
pub mod check;
pub mod client;
pub mod command_line;
pub mod connections;
pub mod decision_log;
pub mod envoy;
pub mod garbage;
pub mod headers;
pub mod http2;
pub mod issuer;
pub mod key_server;
pub mod lds;
pub mod listener;
pub mod manifests;
pub mod native;
pub mod other_names;
pub mod package;
pub mod page;
pub mod protocol;
pub mod samples;
pub mod sent;
pub mod shared;
pub mod tokens;
pub mod twin;
pub mod upstream;
pub mod verdict;
pub mod virtual_hosts;
pub mod wire;
pub mod workload;

pub use jwt_rbac_local::{bootstrap, filters, temporary};
