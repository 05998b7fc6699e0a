//! Text that parsers of JSON read in different ways. The signatures are honest: who can make an
//! issuer sign such a text must not have it read otherwise here than there.

use jwt_rbac_e2e::tokens::Recipe;

use crate::attack::Attack;
use crate::forge;

const SYNTAX: &str = "RFC 8259, RFC 8725 §2.4: text that is no JSON, or not for everybody";
const TWICE: &str = "RFC 7519 §4, RFC 8725 §2.4: a member twice";
const DEPTH: &str = "CVE-2026-48042: depth of JSON";
const MEMBERS: &str = "CVE-2026-47774: many members";

/// Payloads in which `@` stands for the claims of the admin, without the braces.
const PAYLOADS: [&str; 49] = [
    "{@,}",
    "{,@}",
    "{@}x",
    "{@}{@}",
    "{@}\u{0}",
    "\u{feff}{@}",
    "\u{0}{@}",
    "[{@}]",
    "\"{@}\"",
    "{@",
    "@",
    "{@}}",
    "// x\n{@}",
    "{@/* x */}",
    "{@,# x\n}",
    "{@,'a':1}",
    "{@,a:1}",
    "{@,\"a\":'b'}",
    "{@,\"a\"}",
    "{@,\"a\":}",
    "{@,\"a\"=1}",
    "{@;\"a\":1}",
    "{@,\"a\":undefined}",
    "{@,\"a\":None}",
    "{@,\"a\":True}",
    "{@,\"a\":NaN}",
    "{@,\"a\":Infinity}",
    "{@,\"a\":-Infinity}",
    "{@,\"a\":01}",
    "{@,\"a\":1.}",
    "{@,\"a\":.5}",
    "{@,\"a\":+1}",
    "{@,\"a\":0x10}",
    "{@,\"a\":1e}",
    "{@,\"a\":1e400}",
    "{@,\"a\":-1e400}",
    "{@,\"a\":1_000}",
    "{@,\"a\":--1}",
    "{@,\"a\":\"\n\"}",
    "{@,\"a\":\"\u{0}\"}",
    "{@,\"a\":\"\\x41\"}",
    "{@,\"a\":\"\\u12\"}",
    "{@,\"a\":\"\\'\"}",
    "{@,\"a\":\"\\ud800\"}",
    "{@,\"a\":\"\\udc00\\ud800\"}",
    "{@,\"a\":\"\\ud800\\u0041\"}",
    "{@,\"a\":\"\u{ff}\"}",
    "{@,\"a\":\"\u{c0}\u{80}\"}",
    "{@,\"a\":\"\u{ed}\u{a0}\u{80}\"}",
];

pub fn attacks() -> Vec<Attack> {
    let groups = [syntax(), twice(), large()];
    groups.into_iter().flatten().collect()
}

fn syntax() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for payload in PAYLOADS {
        attacks.push(of_payload(payload, SYNTAX));
    }
    for header in [
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\",}",
        "\u{feff}{\"alg\":\"RS256\",\"kid\":\"{kid}\"}",
        "{'alg':'RS256','kid':'{kid}'}",
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\"}\u{0}",
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\"}{\"alg\":\"none\"}",
        "[{\"alg\":\"RS256\",\"kid\":\"{kid}\"}]",
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\",\"x\":\"\\ud800\"}",
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\",\"x\":NaN}",
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\",\"x\":1e400}",
        "{\"alg\":\"RS256\",\"kid\":\"{kid}\",\"x\":\"\u{ff}\"}",
        "\"alg\":\"RS256\"",
        "null",
        "",
    ] {
        let recipe = Recipe { raw_header: Some(header.to_owned()), ..forge::by_key("rs256", &[]) };
        attacks.push(Attack::token(format!("header {header:?}"), SYNTAX, &recipe.mint()));
    }
    attacks
}

/// One of the two is what the attacker wants, and readers take the first or the last.
fn twice() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for name in ["iss", "aud", "sub", "exp", "permissions", "other"] {
        let escaped = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for other in [name.to_owned(), escaped] {
            attacks.push(of_payload(&format!("{{@,\"{other}\":1,\"{name}\":2}}"), TWICE));
            if name != "other" {
                attacks.push(of_payload(&format!("{{\"{other}\":1,@}}"), TWICE));
            }
        }
    }
    for nested in [
        "{@,\"a\":{\"b\":1,\"b\":2}}",
        "{@,\"a\":[[{\"b\":1,\"\\u0062\":1}]]}",
        "{@,\"\":1,\"\":2}",
    ] {
        attacks.push(of_payload(nested, TWICE));
    }
    attacks
}

/// A token has at most 32 KiB, so this is as deep and as wide as it gets.
fn large() -> Vec<Attack> {
    let nested = |depth: usize, open: &str, close: &str| {
        format!("{{@,\"a\":{}1{}}}", open.repeat(depth), close.repeat(depth))
    };
    let mut attacks = Vec::new();
    for depth in [32, 33, 100, 1_000, 10_000] {
        for (what, payload) in [
            ("lists", nested(depth, "[", "]")),
            ("open lists", nested(depth, "[", "")),
            ("objects", nested(depth.min(3_000), "{\"a\":", "}")),
        ] {
            let token = minted(&payload);
            attacks.push(Attack::token(format!("{what}, {depth} deep"), DEPTH, &token));
        }
    }
    for (what, payload) in [
        ("1,001 members", "{@{repeat 1001 ,\"m#\":0}}"),
        ("1,001 permissions", "{@,\"roles\":[0{repeat 1001 ,{}]}"),
        ("four thousand members", "{@{repeat 4000 ,\"#\":0}}"),
        ("a long name", "{@,\"{repeat 20000 n}\":{repeat 1 [}}"),
        ("a long number", "{@,\"a\":{repeat 20000 9}}"),
        ("a long fraction", "{@,\"a\":0.{repeat 20000 9}e{repeat 1 x}}"),
        ("long escapes", "{@,\"a\":\"{repeat 3000 \\u00e9}\\ud800\"}"),
    ] {
        attacks.push(Attack::token(what, MEMBERS, &minted(payload)));
    }
    attacks
}

fn of_payload(payload: &str, source: &'static str) -> Attack {
    Attack::token(format!("payload {payload:?}"), source, &minted(payload))
}

fn minted(payload: &str) -> String {
    let claims = forge::claims();
    let inner = claims.trim_start_matches('{').trim_end_matches('}');
    let recipe =
        Recipe { raw_payload: Some(payload.replace('@', inner)), ..forge::by_key("rs256", &[]) };
    recipe.mint()
}
