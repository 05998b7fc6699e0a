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
    /// `pluginConfig`s by name. A `jwks` that [`KEY_SETS`] names is replaced by the text of that
    /// file.
    pub documents: BTreeMap<String, Value>,
    /// The cases in their order.
    pub cases: Vec<Case>,
}

/// The names that a document can have in place of a key set, and the file of `testdata` for each.
pub const KEY_SETS: [(&str, &str); 3] = [
    ("TESTDATA", "jwks.json"),
    ("TESTDATA_ALL", "jwks-all.json"),
    ("TESTDATA_OCT", "jwks-oct.json"),
];

/// One request and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// What the case shows, in a few words.
    pub name: String,
    /// Makes a case of each of these: `$name` in it is replaced by the value of `name`.
    #[serde(default)]
    pub each: Vec<BTreeMap<String, String>>,
    /// The document that decides.
    pub document: String,
    /// `anonymous`, a file of `testdata/callers`, or `expired-` and that file.
    #[serde(default)]
    pub caller: Option<String>,
    /// A token made for this case, instead of a caller.
    #[serde(default)]
    pub token: Option<Recipe>,
    /// Method and target. `{token}` in the target, or in the value of a header, is replaced by the
    /// token, which is then sent nowhere else, and which `upstream` may name too. `{token:user}` is
    /// replaced by a token of that caller.
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
    /// none. Without it, a refused token must have one that names the host and the path.
    #[serde(default, deserialize_with = "given")]
    #[allow(clippy::option_option, reason = "absent, null and a text are three things here")]
    pub challenge: Option<Option<String>>,
    /// The slug of the refusal. It is part of the response code details of a 403. Where the token
    /// is refused, it says which text the body has, and `tests/refusals.rs` compares it with the
    /// decision code's.
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
    paths.iter().map(|path| suite(path)).collect()
}

/// The named differences.
pub fn differences() -> BTreeMap<String, Difference> {
    yaml(&artifacts::testdata("differences.yaml"))
}

impl Case {
    /// Whether a token stands where the case says, and not in `Authorization`.
    pub fn names_token(&self) -> bool {
        let sent = self.headers.lines().map(|(_, value)| value).chain([self.request.as_str()]);
        sent.into_iter().any(|text| text.contains("{token"))
    }

    /// The case with its tokens minted and put where they belong.
    #[must_use]
    pub fn mint(&self) -> Self {
        let mut case = self.clone();
        let token = self.recipe().map(|recipe| recipe.mint());
        let sent = case.headers.lines().map(|(_, value)| value).chain([case.request.as_str()]);
        let is_placed = sent.into_iter().any(|text| text.contains("{token}"));
        if let Some(token) = token.as_deref().filter(|_| !is_placed) {
            case.headers.0.push(("authorization".to_owned(), vec![format!("Bearer {token}")]));
        }
        let fill = |text: &mut String| {
            *text = text.replace("{token}", token.as_deref().unwrap_or("{token}"));
            while let Some((before, rest)) = text.split_once("{token:") {
                let (caller, after) = rest.split_once('}').expect("{token: is closed by }");
                *text = format!("{before}{}{after}", Recipe::of_caller(caller).mint());
            }
        };
        fill(&mut case.request);
        let upstream = case.upstream.iter_mut().flat_map(HeaderMap::values_mut);
        case.headers.values_mut().chain(upstream).for_each(fill);
        (case.token, case.caller) = (None, None);
        case
    }

    /// The request of a case whose tokens are minted.
    pub fn request(&self) -> Request {
        let (method, target) = self.request.split_once(' ').expect("a request is METHOD TARGET");
        let request = Request::new(method, target);
        self.headers.lines().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// A case for each entry of `each`, or the case itself.
    fn each(&self) -> Vec<Self> {
        if self.each.is_empty() {
            return vec![self.clone()];
        }
        self.each.iter().map(|values| self.with(values)).collect()
    }

    fn with(&self, values: &BTreeMap<String, String>) -> Self {
        let mut case = self.clone();
        let fill = |text: &mut String| {
            for (name, value) in values {
                *text = text.replace(&format!("${name}"), value);
            }
        };
        let texts = [&mut case.name, &mut case.document, &mut case.request];
        texts.into_iter().chain(&mut case.caller).chain(&mut case.body).for_each(fill);
        case.reason.iter_mut().chain(case.challenge.iter_mut().flatten()).for_each(fill);
        let upstream = case.upstream.iter_mut().flat_map(|headers| &mut headers.0);
        for (name, values) in case.headers.0.iter_mut().chain(upstream) {
            fill(name);
            values.iter_mut().for_each(fill);
        }
        if let Some(token) = &mut case.token {
            fill(&mut token.key);
            fill(&mut token.shape);
            let texts = [&mut token.algorithm, &mut token.tamper, &mut token.raw_payload];
            texts.into_iter().flatten().for_each(fill);
            let members = token.header.values_mut().chain(token.claims.values_mut());
            members.filter_map(text_of).for_each(fill);
        }
        case
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

fn suite(path: &Path) -> Suite {
    let mut suite: Suite = yaml(path);
    suite.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    for document in suite.documents.values_mut() {
        let rules = document.get_mut("jwtRules").and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten() {
            if let Some((_, file)) = KEY_SETS.iter().find(|(name, _)| rule["jwks"] == *name) {
                rule["jwks"] = artifacts::key_set(file).into();
            }
        }
    }
    suite.cases = suite.cases.iter().flat_map(Case::each).collect();
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

fn text_of(value: &mut Value) -> Option<&mut String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Tells a `null` from a field that is not there.
#[allow(clippy::option_option, reason = "absent, null and a text are three things here")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
