//! A request in numbers.

use std::fmt;

use jwt_rbac_e2e::client::Request;
use serde_json::{Map, Value, json};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// What Envoy takes unless it is told otherwise: bytes of all headers, and their number.
const MAX_BYTES: usize = 60 << 10;
const MAX_HEADERS: usize = 95;
/// The longest token that is read.
const MAX_TOKEN: usize = 32 << 10;

/// Issuer of the tokens.
pub const ISSUER: &str = "https://tenant.auth0.com/";
/// Audience of the tokens.
pub const AUDIENCE: &str = "https://bookinfo.io";

/// The numbers that a client can choose, and the most of each.
pub const NUMBERS: [(&str, usize); 16] = [
    ("headers", 90),
    ("bytes of each header", 2_000),
    ("headers of ours, spelled otherwise", 40),
    ("cookies", 12_000),
    ("bytes of each cookie", 50),
    ("parameters", 12_000),
    ("bytes of each parameter", 50),
    ("of which spell the name of a token's", 2),
    ("segments of the path", 10_000),
    ("escapes in each segment", 20),
    ("bytes of the token", MAX_TOKEN),
    ("members of the payload", 1_000),
    ("depth of the payload", 31),
    ("kind of its values", 5),
    ("permissions", 1_000),
    ("where the token is", 3),
];

/// A request, as numbers in the order of [`NUMBERS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape(pub [usize; NUMBERS.len()]);

impl Shape {
    /// The request, if Envoy takes it.
    pub fn request(&self) -> Option<Request> {
        let [
            headers,
            header_size,
            ours,
            cookies,
            cookie_size,
            parameters,
            parameter_size,
            spelling,
            segments,
            escapes,
            token_size,
            members,
            depth,
            kind,
            permissions,
            place,
        ] = self.0;
        let token = token(token_size, members, depth, kind, permissions)?;
        let segment =
            format!("/{}", if escapes == 0 { "a".to_owned() } else { "%61".repeat(escapes) });
        let mut target = if segments == 0 { "/".to_owned() } else { segment.repeat(segments) };
        let name = ["p", "acce%73s_token", "access.token"][spelling.min(2)];
        let parameter = format!("{name}={}&", "v".repeat(parameter_size));
        if parameters > 0 {
            target = format!("{target}?{}", parameter.repeat(parameters));
        }
        if place == 1 {
            let mark = if parameters > 0 { "" } else { "?" };
            target = format!("{target}{mark}access_token={token}");
        }
        let mut request = Request::get(&target);
        for number in 0..headers {
            request = request.header(&format!("x-header-{number}"), &"v".repeat(header_size));
        }
        for _ in 0..ours {
            request = request.header("X_Sub", "a");
        }
        let mut cookie = format!("c={}; ", "v".repeat(cookie_size)).repeat(cookies);
        match place {
            0 => request = request.bearer(&token),
            2 => cookie = format!("{cookie}session={token}"),
            3 => request = request.header("x-token", &token),
            _ => {}
        }
        if !cookie.is_empty() {
            request = request.header("cookie", &cookie);
        }
        let bytes: usize =
            request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let fits = bytes + request.target.len() < MAX_BYTES && request.headers.len() <= MAX_HEADERS;
        fits.then_some(request)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = NUMBERS.iter().zip(self.0).filter(|(_, number)| *number > 0);
        let numbers: Vec<String> =
            numbers.map(|((name, _), number)| format!("{name}: {number}")).collect();
        formatter.write_str(&numbers.join(", "))
    }
}

/// A token whose claims are good and whose signature is not.
fn token(
    size: usize,
    members: usize,
    depth: usize,
    kind: usize,
    permissions: usize,
) -> Option<String> {
    let mut value = match kind {
        0 => json!(7),
        1 => json!(-1.5e-7),
        2 => json!("text"),
        3 => json!("\u{e9}\"\\\n"),
        4 => json!([1, 2]),
        _ => json!({"a": "b"}),
    };
    for _ in 0..depth {
        value = json!([value]);
    }
    let mut claims = Map::new();
    for number in 0..members {
        claims.insert(format!("m{number}"), value.clone());
    }
    claims.insert("iss".to_owned(), ISSUER.into());
    claims.insert("aud".to_owned(), AUDIENCE.into());
    claims.insert("exp".to_owned(), 4_102_444_800_u64.into());
    let names: Vec<Value> = (0..permissions).map(|number| format!("p{number}").into()).collect();
    claims.insert("permissions".to_owned(), names.into());
    let header = r#"{"alg":"RS256"}"#;
    let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let payload = Value::Object(claims.clone()).to_string();
    let signature = encode(&"\u{1}".repeat(256));
    let least = encode(header).len() + encode(&payload).len() + signature.len() + 2;
    let padding = size.checked_sub(least)? * 3 / 4;
    claims.insert("x".to_owned(), "x".repeat(padding.saturating_sub(8)).into());
    let payload = encode(&Value::Object(claims).to_string());
    let token = format!("{}.{payload}.{signature}", encode(header));
    (token.len() <= MAX_TOKEN).then_some(token)
}
