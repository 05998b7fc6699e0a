//! The suites in `testdata/cases/*.yaml`: documents, and requests with what must come of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::artifacts;
use crate::client::Request;
use crate::headers::HeaderMap;
use crate::tokens::Recipe;

/// One file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The name of the file without its extension.
    #[serde(skip)]
    pub name: String,
    /// `pluginConfig`s by name; `jwks: TESTDATA` stands for the text of `testdata/jwks.json`.
    pub documents: BTreeMap<String, Value>,
    /// The cases in their order.
    pub cases: Vec<Case>,
}

/// One request and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// The document that decides.
    pub document: String,
    /// `anonymous`, a file of `testdata/callers`, or `expired-` and that file.
    #[serde(default)]
    pub caller: Option<String>,
    /// A token made for this case, instead of a caller.
    #[serde(default)]
    pub token: Option<Recipe>,
    /// Method and target. `{token}` in the target, or in the value of a header, is replaced by
    /// the token, which is then sent nowhere else; `{token:user}` by one of that caller.
    pub request: String,
    /// Headers to send, one byte for each character up to U+00FF.
    #[serde(default)]
    pub headers: HeaderMap,
    /// The status code.
    pub status: u16,
    /// The whole body.
    #[serde(default)]
    pub body: Option<String>,
    /// The whole `WWW-Authenticate`, with `{authority}` for the host of the request; `null` for
    /// none.
    #[serde(default, deserialize_with = "given")]
    #[allow(clippy::option_option, reason = "absent, null and a text are three things here")]
    pub challenge: Option<Option<String>>,
    /// The slug in the response code details of a 403.
    #[serde(default)]
    pub reason: Option<String>,
    /// The whole response code details.
    #[serde(default)]
    pub details: Option<String>,
    /// `grpc-status`.
    #[serde(default)]
    pub grpc_status: Option<u16>,
    /// What reached the workload: headers, `:method`, `:path`; `null` for a header that did not,
    /// in any spelling.
    #[serde(default)]
    pub upstream: Option<HeaderMap>,
    /// What the native pair does with the same request.
    #[serde(default)]
    pub native: Native,
}

/// The relation to the native pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Native {
    /// The same answer.
    #[default]
    Same,
    /// No answer to compare with, and why.
    None(String),
    /// Another answer, for a reason that `testdata/differences.yaml` has under this name.
    Differs(String),
}

/// One entry of `testdata/differences.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What the native pair does.
    pub native: String,
    /// What this filter does.
    pub ours: String,
    /// Why it does so.
    pub why: String,
}

/// Every suite, by file name.
pub fn load() -> Vec<Suite> {
    let directory = artifacts::testdata("cases");
    let entries = fs::read_dir(&directory);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    let jwks = artifacts::jwks();
    paths.iter().map(|path| suite(path, &jwks)).collect()
}

/// The named differences.
pub fn differences() -> BTreeMap<String, Difference> {
    yaml(&artifacts::testdata("differences.yaml"))
}

impl Case {
    /// The request, with a token minted for it.
    pub fn request(&self) -> Request {
        let (method, target) = self.request.split_once(' ').expect("a request is METHOD TARGET");
        let token = self.recipe().map(|recipe| recipe.mint());
        let mut placed = false;
        let mut fill = |text: &str| {
            let mut text = text.to_owned();
            if let Some(token) = token.as_deref().filter(|_| text.contains("{token}")) {
                placed = true;
                text = text.replace("{token}", token);
            }
            while let Some((before, rest)) = text.split_once("{token:") {
                let (caller, after) = rest.split_once('}').expect("{token: is closed by }");
                text = format!("{before}{}{after}", Recipe::of_caller(caller).mint());
            }
            text
        };
        let mut request = Request::new(method, &fill(target));
        for (name, value) in self.headers.lines() {
            request = request.header(name, &fill(value));
        }
        match token {
            Some(token) if !placed => request.bearer(&token),
            _ => request,
        }
    }

    fn recipe(&self) -> Option<Recipe> {
        if let Some(recipe) = &self.token {
            return Some(recipe.clone());
        }
        let caller = self.caller.as_deref().filter(|caller| *caller != "anonymous")?;
        Some(match caller.strip_prefix("expired-") {
            Some(caller) => Recipe::of_caller(caller).claim("exp", json!("now-3600")),
            None => Recipe::of_caller(caller),
        })
    }
}

fn suite(path: &Path, jwks: &str) -> Suite {
    let mut suite: Suite = yaml(path);
    suite.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for document in suite.documents.values_mut() {
        let rules = document.get_mut("jwtRules").and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten() {
            if rule["jwks"] == "TESTDATA" {
                rule["jwks"] = jwks.into();
            }
        }
    }
    for case in &suite.cases {
        let known = suite.documents.contains_key(&case.document);
        assert!(known, "{}: {}: no document {}", path.display(), case.name, case.document);
    }
    suite
}

fn yaml<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Tells a `null` from a field that is not there.
#[allow(clippy::option_option, reason = "absent, null and a text are three things here")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
