//! The playground: what `check`, `explain` and `explain --matrix` say, in a browser. The page asks a
//! [`Question`] in JSON and gets an [`Answer`]; nothing is remembered in between.
//!
//! | module | what it is |
//! |---|---|
//! | [`question`], [`answer`] | what the page asks, and what it gets |
//! | `exports` | the functions that a browser calls |
//!
//! `page/` has the page; `make playground` puts it and this library into one file.

pub mod answer;
#[cfg(target_arch = "wasm32")]
mod exports;
pub mod question;

use answer::Answer;
use question::Question;

/// The answer to a question, both in JSON.
#[must_use]
pub fn ask(question: &[u8]) -> Vec<u8> {
    let answer = match serde_json::from_slice::<Question>(question) {
        Ok(question) => Answer::to(&question),
        Err(error) => Answer::unreadable(&error),
    };
    // Texts and numbers can always be written.
    serde_json::to_vec(&answer).unwrap_or_default()
}
