//! Near misses: names, audiences and permissions that look like the right ones.

use jwt_rbac_e2e::client::Request;

use crate::attack::{Attack, Outcome};
use crate::documents::ADMIN;
use crate::forge;

const NEAR: &str = "RFC 7519 §7.3, RFC 8725 §3.9: names are compared byte by byte";
const PATTERN: &str = "CVE-2026-39350: no letter of a name is a pattern";

pub fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (what, permission) in near(ADMIN).into_iter().chain(patterns(ADMIN)) {
        // A space divides words only in a text.
        let token =
            forge::by_key("rs256", &[]).claim("permissions", [permission].as_slice().into());
        let name = format!("permission: {what}");
        attacks.push(denied(name, &token.mint()));
    }
    for text in [
        "admin",
        "admin :all",
        "admin:all,x",
        "admin:all\tx",
        "xadmin:all",
        "admin:all;",
        "admin\u{a0}:all",
    ] {
        let token = forge::by_key("rs256", &[]).claim("permissions", text.into());
        attacks.push(denied(format!("permissions as a text: {text:?}"), &token.mint()));
    }
    for name in [
        "Permissions",
        "permission",
        "permissions ",
        "scope",
        "scp",
        "roles",
        "groups",
        "[permissions]",
        "per.missions",
    ] {
        let token = forge::by_key("rs256", &[]).claim("permissions", ["read"].as_slice().into());
        let token = token.claim(name, [ADMIN].as_slice().into());
        attacks.push(denied(format!("the permission under {name:?}"), &token.mint()));
    }
    let audience = "https://bookinfo.io";
    for (what, text) in near(audience).into_iter().chain(patterns(audience)) {
        let token = forge::by_key("rs256", &[]).claim("aud", text.into());
        attacks.push(denied(format!("audience: {what}"), &token.mint()));
    }
    let issuer = "https://tenant.auth0.com/";
    for (what, text) in near(issuer).into_iter().chain(patterns(issuer)) {
        let token = forge::by_key("rs256", &[]).claim("iss", text.into());
        attacks.push(Attack::token(format!("issuer: {what}"), NEAR, &token.mint()));
    }
    attacks
}

/// Texts that a loose comparison takes for this one.
fn near(text: &str) -> Vec<(&'static str, String)> {
    let look_alike = text.replacen('a', "\u{430}", 1).replacen("oo", "\u{43e}o", 1);
    vec![
        ("in capitals", text.to_uppercase()),
        ("with a capital", text[..1].to_uppercase() + &text[1..]),
        ("a space before", format!(" {text}")),
        ("a space behind", format!("{text} ")),
        ("a tab behind", format!("{text}\t")),
        ("a line break behind", format!("{text}\n")),
        ("a NUL behind", format!("{text}\u{0}")),
        ("a NUL and more behind", format!("{text}\u{0}.evil.test")),
        ("a NUL before", format!("\u{0}{text}")),
        ("a no-break space behind", format!("{text}\u{a0}")),
        ("a zero-width space within", format!("{}\u{200b}{}", &text[..3], &text[3..])),
        ("a soft hyphen within", format!("{}\u{ad}{}", &text[..3], &text[3..])),
        ("a mark from right to left", format!("\u{202e}{text}")),
        ("a byte order mark", format!("\u{feff}{text}")),
        ("a look-alike of Cyrillic", look_alike),
        ("a full-width colon", text.replacen(':', "\u{ff1a}", 1)),
        ("a combining mark", format!("{text}\u{301}")),
        ("the start", text[..text.len() - 2].to_owned()),
        ("the end", text[1..].to_owned()),
        ("more behind", format!("{text}x")),
        ("a domain behind", format!("{text}.evil.test")),
        ("a user before", format!("https://evil.test@{text}")),
        ("in a list of words", format!("x,{text}")),
        ("twice", format!("{text}{text}")),
        ("percent-encoded", text.replace(':', "%3A")),
        ("escaped once more", text.replace(':', "\\u003a")),
        ("empty", String::new()),
    ]
}

fn patterns(text: &str) -> Vec<(&'static str, String)> {
    vec![
        ("an asterisk", "*".to_owned()),
        ("a pattern", ".*".to_owned()),
        ("a prefix pattern", format!("{}*", &text[..4])),
        ("a suffix pattern", format!("*{}", &text[4..])),
        ("a question mark", "?".repeat(text.len())),
        ("a dot for a letter", text.replacen(':', ".", 1)),
        ("a letter for a dot", text.replacen(['.', ':'], "x", 1)),
    ]
}

fn denied(name: String, token: &str) -> Attack {
    let is_pattern = name.contains("pattern") || name.contains("asterisk") || name.contains("dot");
    let source = if is_pattern { PATTERN } else { NEAR };
    Attack::new(name, source, Request::get("/admin").bearer(token), Outcome::Denied)
}
