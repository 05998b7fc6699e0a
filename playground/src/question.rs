//! What the page asks.

use serde::Deserialize;

/// All that is on the page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The file with the document.
    pub document: String,
    /// The name of the resource, where the file has several; else the first counts.
    #[serde(default)]
    pub resource: Option<String>,
    /// The request, such as `GET /orders/7`.
    pub request: String,
    /// Callers by their names, each with its claims, in YAML.
    pub callers: String,
    /// Who sends the request.
    pub sender: Sender,
    /// The key set that stands where the document has none.
    #[serde(default)]
    pub key_set: String,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// Who sends the request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sender {
    /// Nobody that it says.
    #[default]
    Anonymous,
    /// The caller with this name.
    Caller(String),
    /// The holder of this token.
    Token {
        /// The token, also with a scheme before it.
        token: String,
        /// Whether its signature is checked, or taken as good.
        checked: bool,
    },
}
