//! An Envoy with the filter on this machine, for `jwt-rbac try` and for the tests.
//!
//! | module | what it is |
//! |---|---|
//! | [`programs`] | where Envoy and the module are |
//! | [`bootstrap`], [`filters`] | the configuration that it is started with |
//! | [`listeners`] | listeners that are replaced while it runs |
//! | [`process`] | the process, which ends with its owner, however that ends |
//! | [`temporary`] | a folder that ends with its owner too |

pub mod bootstrap;
pub mod filters;
pub mod listeners;
pub mod process;
pub mod programs;
pub mod temporary;
