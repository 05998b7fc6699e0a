//! `make worst`: the refused request that costs most, found by search and not by guess.
//!
//! A client may write what it wants into a request, as long as Envoy takes it. [`shape`] has the numbers
//! that it can choose, [`search`] climbs from several starts to where no change makes the decision
//! slower, with the decision code on this machine. The checks of signatures are left out of the search:
//! each has a price, and the budget of a request bounds them (`src/authn/price.rs`). What was found is
//! then measured in Envoy, with a key set whose checks use the budget up.

pub mod search;
pub mod shape;
