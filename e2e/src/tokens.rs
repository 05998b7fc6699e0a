//! Tokens for the suites, signed by independent libraries: valid ones, and ones with whatever fault
//! a case asks for.

mod keys;
mod tamper;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{artifacts, wire};
use keys::{SigningKey, signing_key};
pub use tamper::Tamper;

/// How long a token is valid unless its case says otherwise, in seconds.
const LIFETIME: i64 = 3600;

/// The provider of the callers' tokens, as an entry of `jwtRules`.
pub fn provider() -> Value {
    json!({
        "issuer": "https://tenant.auth0.com/",
        "audiences": ["https://bookinfo.io"],
        "jwks": artifacts::jwks(),
    })
}

/// The `kid` under which the key sets have a key.
pub fn key_id(name: &str) -> String {
    signing_key(name).id.clone()
}

/// How to mint a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Starts from the claims of this caller of `testdata/callers`, else from nothing.
    pub caller: Option<String>,
    /// Claims set over those; `null` removes one. A time may be `now`, `now+60`, `now-60`; a text
    /// may hold a repetition as in [`Recipe::raw_payload`].
    pub claims: Map<String, Value>,
    /// Members of the header set over `alg`, `kid` and `typ`; `null` removes one, `{kid:es256}` is
    /// replaced by the `kid` of that key.
    pub header: Map<String, Value>,
    /// The key that signs, by its name in `testdata/keys`; others: [`keys::signing_key`].
    pub key: String,
    /// The algorithm that signs, where the key is for several.
    pub algorithm: Option<String>,
    /// The text of the header, instead of all that: `{exp}` in it is an hour from now, `{kid}`
    /// the `kid` of the key, `{repeat 3 "m#":0,}` that text three times, with 0, 1 and 2 for `#`;
    /// a character up to U+00FF is one byte.
    pub raw_header: Option<String>,
    /// The text of the payload, likewise.
    pub raw_payload: Option<String>,
    /// The size of the whole token: a claim `padding` makes it that long.
    pub size: Option<usize>,
    /// A change after the signature was made: a [`Tamper`] by its name.
    pub tamper: Option<String>,
    /// Whether the issuer leaves the padding of base64 in place, and signs what it writes.
    pub padded: bool,
    /// How the encoded parts are put together. `{signature+bits}` is the signature with those bits
    /// of its last character set that no byte uses.
    pub shape: String,
}

/// What a token is made of.
#[derive(Clone, Debug)]
pub struct Parts {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            caller: None,
            claims: Map::new(),
            header: Map::new(),
            key: "rs256".to_owned(),
            algorithm: None,
            raw_header: None,
            raw_payload: None,
            size: None,
            tamper: None,
            padded: false,
            shape: "{header}.{payload}.{signature}".to_owned(),
        }
    }
}

impl Recipe {
    /// The token of a caller, as its issuer would mint it now.
    pub fn of_caller(name: &str) -> Self {
        Self { caller: Some(name.to_owned()), ..Self::default() }
    }

    /// The same with another claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// The same signed by another key.
    #[must_use]
    pub fn key(mut self, name: &str) -> Self {
        name.clone_into(&mut self.key);
        self
    }

    /// Mints the token.
    pub fn mint(&self) -> String {
        let Some(size) = self.size else { return self.mint_one() };
        // Four characters hold three bytes, so the first guess is at most a byte or two off.
        let padded = |length: usize| self.clone().claim("padding", "x".repeat(length).into());
        let least = padded(0).mint_one().len();
        let guess = size.checked_sub(least).expect("a token has more than that") * 3 / 4;
        let tokens = (guess.saturating_sub(2)..=guess + 2).map(|length| padded(length).mint_one());
        let mut fitting = tokens.filter(|token| token.len() == size);
        fitting.next().unwrap_or_else(|| panic!("no token has {size} bytes, take one more"))
    }

    fn mint_one(&self) -> String {
        let now = now();
        let key = signing_key(&self.key);
        let algorithm = self.algorithm.as_deref().unwrap_or(key.algorithm);
        let raw = |text: &str| {
            let text = text.replace("{exp}", &(now + LIFETIME).to_string());
            wire::bytes(&repeat(&text.replace("{kid}", &key.id)))
        };
        let minted = |object| Value::Object(object).to_string().into_bytes();
        let header = self.raw_header.as_deref();
        let header = header.map_or_else(|| minted(self.header(&key, algorithm)), raw);
        let payload = self.raw_payload.as_deref();
        let payload = payload.map_or_else(|| minted(self.payload(now)), raw);
        let encode = if self.padded { encode_padded } else { encode };
        let sign = |parts: &Parts| {
            let signed = format!("{}.{}", encode(&parts.header), encode(&parts.payload));
            key.sign(signed.as_bytes(), algorithm)
        };
        let mut parts = Parts { header, payload, signature: Vec::new() };
        parts.signature = sign(&parts);
        if let Some(tamper) = &self.tamper {
            Tamper::named(tamper).apply(&mut parts, &sign);
        }
        let signature = encode(&parts.signature);
        let mut token = self.shape.replace("{header}", &encode(&parts.header));
        token = token.replace("{payload}", &encode(&parts.payload));
        if token.contains("{signature+bits}") {
            token = token.replace("{signature+bits}", &with_unused_bits(&signature));
        }
        token.replace("{signature}", &signature)
    }

    fn header(&self, key: &SigningKey, algorithm: &str) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), algorithm.into());
        header.insert("kid".to_owned(), key.id.clone().into());
        header.insert("typ".to_owned(), "JWT".into());
        overlay(&mut header, &self.header);
        for value in header.values_mut() {
            if let Some(other) = value.as_str().and_then(key_of_kid) {
                *value = signing_key(other).id.clone().into();
            }
        }
        header
    }

    fn payload(&self, now: i64) -> Map<String, Value> {
        let mut payload = self.caller.as_deref().map(artifacts::caller).unwrap_or_default();
        payload.insert("iat".to_owned(), now.into());
        payload.insert("exp".to_owned(), (now + LIFETIME).into());
        overlay(&mut payload, &self.claims);
        for (name, value) in &mut payload {
            let Value::String(text) = value else { continue };
            let is_time = ["iat", "nbf", "exp"].contains(&name.as_str());
            match offset(text).filter(|_| is_time) {
                Some(offset) => *value = (now + offset).into(),
                None => *text = repeat(text),
            }
        }
        payload
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("the clock is before the year 292 billion")
}

fn overlay(object: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (name, value) in over {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
}

/// The `es256` of `{kid:es256}`.
fn key_of_kid(text: &str) -> Option<&str> {
    text.strip_prefix("{kid:")?.strip_suffix('}')
}

/// `now`, `now+60` or `now-60`, in seconds from now.
fn offset(text: &str) -> Option<i64> {
    match text.strip_prefix("now")? {
        "" => Some(0),
        offset => offset.parse().ok(),
    }
}

/// Writes out every `{repeat COUNT TEXT}`.
fn repeat(text: &str) -> String {
    let Some((before, rest)) = text.split_once("{repeat ") else { return text.to_owned() };
    let (repeated, after) = rest.split_once('}').expect("{repeat is closed by }");
    let (count, repeated) = repeated.split_once(' ').expect("{repeat COUNT TEXT}");
    let count: usize = count.parse().expect("{repeat COUNT TEXT}");
    let middle: String = (0..count).map(|n| repeated.replace('#', &n.to_string())).collect();
    format!("{before}{middle}{}", repeat(after))
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn encode_padded(bytes: &[u8]) -> String {
    BASE64_URL_SAFE.encode(bytes)
}

/// The last character of an unpadded signature carries bits that no byte uses; they are zero.
fn with_unused_bits(signature: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = signature.to_owned();
    let last = text.pop().and_then(|last| ALPHABET.find(last)).expect("a signature is base64url");
    text.push(char::from(ALPHABET.as_bytes()[last + 1]));
    text
}
