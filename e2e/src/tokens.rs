//! Tokens for the suites, signed by an independent library (`jsonwebtoken`): good ones, and bad
//! ones in every way that a case asks for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{artifacts, wire};

/// How long a token is good for when its case says nothing else.
const LIFETIME: i64 = 3600;

/// How to mint a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Starts from the claims of this caller of `testdata/callers`, else from nothing.
    pub caller: Option<String>,
    /// Claims set over those; `null` removes one. A time may be `now`, `now+60`, `now-60`.
    pub claims: Map<String, Value>,
    /// Members of the header set over `alg`, `kid` and `typ`; `null` removes one, `{kid:es256}`
    /// stands for the thumbprint of that key.
    pub header: Map<String, Value>,
    /// The private key of `testdata/keys`.
    pub key: String,
    /// The text of the header, instead of all that: `{exp}` in it is an hour from now, `{kid}`
    /// the thumbprint of the key, a character up to U+00FF one byte.
    pub raw_header: Option<String>,
    /// The text of the payload, likewise.
    pub raw_payload: Option<String>,
    /// Harm done after the signature was made.
    pub tamper: Option<Tamper>,
    /// How the encoded parts are put together.
    pub shape: String,
}

/// Harm done to a signed token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tamper {
    /// Another header than the one that was signed.
    Header,
    /// Another payload than the one that was signed.
    Payload,
    /// One byte of the signature is another.
    Signature,
    /// The unused bits of the last character of the signature are set.
    TrailingBits,
    /// A zero byte before each half of an ECDSA signature.
    PaddedSignature,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            caller: None,
            claims: Map::new(),
            header: Map::new(),
            key: "rs256".to_owned(),
            raw_header: None,
            raw_payload: None,
            tamper: None,
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

    /// Mints the token.
    pub fn mint(&self) -> String {
        let now = now();
        let key = signing_key(&self.key);
        let raw = |text: &str| {
            let text = text.replace("{exp}", &(now + LIFETIME).to_string());
            wire::bytes(&text.replace("{kid}", &key.thumbprint))
        };
        let minted = |object| Value::Object(object).to_string().into_bytes();
        let header = self.raw_header.as_deref();
        let header = header.map_or_else(|| minted(self.header(&key)), raw);
        let payload = self.raw_payload.as_deref();
        let payload = payload.map_or_else(|| minted(self.payload(now)), raw);
        let signed = format!("{}.{}", encode(&header), encode(&payload));
        let signature =
            crypto::sign(signed.as_bytes(), &key.key, key.algorithm).expect("the key signs");
        self.assemble(header, payload, &signature)
    }

    fn header(&self, key: &SigningKey) -> Map<String, Value> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), json!(key.algorithm));
        header.insert("kid".to_owned(), key.thumbprint.clone().into());
        header.insert("typ".to_owned(), "JWT".into());
        overlay(&mut header, &self.header);
        for value in header.values_mut() {
            if let Some(other) = value.as_str().and_then(key_of_kid) {
                *value = signing_key(other).thumbprint.clone().into();
            }
        }
        header
    }

    fn payload(&self, now: i64) -> Map<String, Value> {
        let mut payload = self.caller.as_deref().map(artifacts::caller).unwrap_or_default();
        payload.insert("iat".to_owned(), now.into());
        payload.insert("exp".to_owned(), (now + LIFETIME).into());
        overlay(&mut payload, &self.claims);
        for name in ["iat", "nbf", "exp"] {
            let Some(Value::String(text)) = payload.get(name) else {
                continue;
            };
            if let Some(offset) = offset(text) {
                payload.insert(name.to_owned(), (now + offset).into());
            }
        }
        payload
    }

    fn assemble(&self, mut header: Vec<u8>, mut payload: Vec<u8>, signature: &str) -> String {
        let mut signature = signature.to_owned();
        match self.tamper {
            None => {}
            // A space at its end leaves the same JSON in other bytes.
            Some(Tamper::Header) => header.push(b' '),
            Some(Tamper::Payload) => payload.push(b' '),
            Some(Tamper::Signature) => signature = flip(&signature),
            Some(Tamper::TrailingBits) => signature = set_trailing_bits(&signature),
            Some(Tamper::PaddedSignature) => signature = pad(&signature),
        }
        let token = self.shape.replace("{header}", &encode(&header));
        let token = token.replace("{payload}", &encode(&payload));
        token.replace("{signature}", &signature)
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("the clock is before the year 292 billion")
}

/// A private key, ready to sign.
struct SigningKey {
    key: EncodingKey,
    algorithm: Algorithm,
    /// RFC 7638: the `kid` under which `testdata/jwks.json` has the key.
    thumbprint: String,
}

/// The key of this name; each is read once, because reading one takes as long as signing.
fn signing_key(name: &str) -> Arc<SigningKey> {
    static KEYS: Mutex<BTreeMap<String, Arc<SigningKey>>> = Mutex::new(BTreeMap::new());
    let mut keys = KEYS.lock().expect("no reader of keys has panicked");
    let key = keys.entry(name.to_owned()).or_insert_with(|| Arc::new(SigningKey::read(name)));
    Arc::clone(key)
}

impl SigningKey {
    fn read(name: &str) -> Self {
        let pem = artifacts::private_key(name);
        let (key, algorithm) = if name.ends_with("es256") {
            (EncodingKey::from_ec_pem(pem.as_bytes()), Algorithm::ES256)
        } else {
            (EncodingKey::from_rsa_pem(pem.as_bytes()), Algorithm::RS256)
        };
        let key = key.unwrap_or_else(|error| panic!("testdata/keys/{name}.pem: {error}"));
        let jwk = Jwk::from_encoding_key(&key, algorithm).expect("a private key has a public one");
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256);
        let thumbprint = thumbprint.expect("a public key has a thumbprint");
        Self { key, algorithm, thumbprint }
    }
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

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn flip(signature: &str) -> String {
    let mut bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn pad(signature: &str) -> String {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature is base64url");
    let (r, s) = bytes.split_at(bytes.len() / 2);
    BASE64_URL_SAFE_NO_PAD.encode([&[0], r, &[0], s].concat())
}

/// The last character of an unpadded signature carries bits that no byte uses; they are zero.
fn set_trailing_bits(signature: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = signature.to_owned();
    let last = text.pop().and_then(|last| ALPHABET.find(last)).expect("a signature is base64url");
    text.push(char::from(ALPHABET.as_bytes()[last + 1]));
    text
}
