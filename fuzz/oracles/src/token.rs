//! A token, in the bytes of a header.

use crate::asked;
use crate::independent;
use crate::policy;

/// Fails if this token is accepted and should not be.
pub fn check(input: &[u8]) {
    let value = [b"Bearer ", input].concat();
    let lines = asked::get(b"/members", &[(b"authorization", &value)]);
    policy::with_document(|document, worker| {
        asked::decided(document, worker, &lines, |decision| {
            let Some(identity) = &decision.identity else { return };
            // Spaces around a header value are not part of it.
            let token = std::str::from_utf8(input).expect("an accepted token is ASCII");
            independent::confirm(token.trim_matches(' '), identity);
        })
    });
}
