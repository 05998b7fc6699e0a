//! The steps that a configuration can list.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, de};

use crate::host::{self, Counter};

/// One call, or several that belong together.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Fetches `authorization` by its name.
    Header,
    /// Fetches all headers.
    Headers,
    /// Asks for the time.
    Time,
    /// Adds one to a counter.
    Count,
    /// Removes `authorization`, and Envoy chooses the route again.
    Remove,
    /// Sets a value for access logs.
    FilterState { name: String, value: String },
    /// Has Envoy check a valid signature, with this argument.
    #[serde(deserialize_with = "from_base64")]
    Verify(Vec<u8>),
    /// Answers the request.
    LocalReply,
}

const TOKEN_HEADER: &str = "authorization";

thread_local! {
    static COUNTER: Option<Counter> = host::define_counter("floor");
}

impl Step {
    /// Runs the step. `None` when the host refuses the call.
    pub fn take(&self) -> Option<()> {
        match self {
            Self::Header => host::header(TOKEN_HEADER).map(drop),
            Self::Headers => host::headers().map(drop),
            Self::Time => host::now().map(drop),
            Self::Count => COUNTER.with(Option::clone)?.increment(),
            Self::Remove => host::remove_header(TOKEN_HEADER),
            Self::FilterState { name, value } => host::set_property(name, value),
            Self::Verify(arguments) => {
                let answer = host::call_foreign_function("verify_signature", arguments)?;
                // `VerifySignatureResult.result`, field 1, is true.
                answer.starts_with(&[0x08, 0x01]).then_some(())
            }
            Self::LocalReply => host::send_local_response(403, "RBAC: access denied"),
        }
    }
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map_err(de::Error::custom)
}
