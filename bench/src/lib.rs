//! `make bench`: what a request costs behind the filter, in CPU time of the Envoy process, beside
//! Envoy's native pair of filters and beside an Envoy without either. `make costs`: which step of a
//! request costs how much of that.
//!
//! | module | what it is |
//! |---|---|
//! | [`suite`], [`further`], [`refused`] | what is measured, what is compared with what, and the targets |
//! | [`costs`], [`verify_signature`] | the steps of a request |
//! | [`policy`] | the document that all listeners are made from |
//! | [`callers`], [`recipe`], [`forgery`] | files of tokens |
//! | [`listeners`] | the document as listeners |
//! | [`load`] | size, memory and CPU time before the first request |
//! | [`pinned`] | Envoy on one CPU: its CPU time and its memory |
//! | [`wrk`] | load from `wrk` on another CPU |
//! | [`round`] | one target measured, and all of them in turn |
//! | [`statistics`], [`result`] | ratios of overheads, their intervals, and whether the targets hold |
//! | [`worst`] | the search for the dearest refused request |
//! | [`hostile`] | the requests of `make soak` |
//! | [`machine`], [`page`], [`page_all`], [`page_refused`], [`page_costs`], [`plot`], [`stack`] | the figures of the pages of `docs/` |
//! | [`mesh`] | a simulation of a whole mesh that fetches keys |
//! | [`template`] | the pages themselves: the texts of `bench/pages`, filled in |
//! | [`report`] | the progress, and where pages are written |
//!
//! Unlike the rest of the harness it returns errors and does not panic: somebody waits for it at a
//! terminal, and needs a message that says what to do.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a tool for one program, whose panics are messages to its developers"
)]

pub mod callers;
pub mod costs;
pub mod forgery;
pub mod further;
pub mod hostile;
pub mod listeners;
pub mod load;
pub mod machine;
pub mod mesh;
pub mod page;
pub mod page_all;
pub mod page_costs;
pub mod page_refused;
pub mod pinned;
pub mod plot;
pub mod policy;
pub mod recipe;
pub mod refused;
pub mod report;
pub mod result;
pub mod round;
pub mod stack;
pub mod statistics;
pub mod suite;
pub mod template;
pub mod verify_signature;
pub mod worst;
pub mod wrk;
