//! Oracles: functions that take any bytes and panic if what comes of them is wrong. The fuzz targets
//! feed them with what libFuzzer finds, the tests with the seeds and with what was found before.
//!
//! | module | input | what must hold, beside that nothing panics |
//! |---|---|---|
//! | [`token`] | a token | what is accepted has one spelling, and `jsonwebtoken` accepts it too |
//! | [`signed_token`] | a header and a payload, signed here | the same |
//! | [`key_set`] | a JWKS | the answer is always the same; no private key is taken, no forged token |
//! | [`document`] | a `pluginConfig` | the answer is always the same; what loads can be asked |
//! | [`fetched`] | what a key server answers | no secret and no private key is taken, and no answer takes keys away |
//! | [`path`] | a target | what passes can't be read as a closed path by any workload |
//! | [`policies`] | policies and requests, chosen by bytes | the index finds what one policy after the other finds, and the report says it |
//! | [`request`] | a request | the workload gets no header of ours from the client, the log no token, and what a worker remembers changes no decision |
//! | [`explain`] | a request as people write it | the report says what the filter does |
//!
//! [`jwt_rbac`] itself is never asked whether it is right: an oracle has its own way to the answer.

#![allow(
    clippy::missing_panics_doc,
    reason = "a panic is how an oracle reports, and every function here would say so"
)]

mod asked;
pub mod document;
pub mod explain;
pub mod fetched;
mod independent;
pub mod key_set;
pub mod path;
pub mod policies;
mod policy;
pub mod request;
pub mod signed_token;
pub mod token;

/// An oracle.
pub type Check = fn(&[u8]);

/// Every oracle by the name of its fuzz target and of the directory of its seeds.
pub const ALL: [(&str, Check); 9] = [
    ("document", document::check),
    ("explain", explain::check),
    ("fetched", fetched::check),
    ("key_set", key_set::check),
    ("path", path::check),
    ("policies", policies::check),
    ("request", request::check),
    ("signed_token", signed_token::check),
    ("token", token::check),
];
