//! Whose tokens a document can accept, which routes refer to.

use super::place::Place;
use super::schema;

/// The issuers whose tokens can be accepted, whatever else is wrong with their entries.
#[derive(Debug, Default)]
pub struct Issuers {
    pub named: Vec<String>,
    /// Whether others than those can be: an entry names none, or is too faulty to be read.
    pub any: bool,
}

impl Issuers {
    pub fn new(rules: &[(Place, schema::JwtRule)], count: usize) -> Self {
        let named: Vec<_> = rules.iter().filter_map(|(_, rule)| rule.issuer.clone()).collect();
        Self { any: named.len() < count, named }
    }
}
