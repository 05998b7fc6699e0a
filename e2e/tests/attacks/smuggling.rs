//! Bytes in which one reader sees one request and another two. Envoy reads them first; what it lets
//! through must be one request, judged as what the workload gets. All answers are read, and as many requests
//! as are answered have reached the workload.

use jwt_rbac_e2e::upstream::{Notes, Seen};

use crate::attack::{Attack, MARK, Outcome};

const FRAMING: &str = "RFC 9112 §11.2: request smuggling";
const LINES: &str = "RFC 9112 §2.2, §3: request lines that are read in two ways";
const FOLDED: &str = "RFC 9112 §5.2: folded lines and names that are none";
const DOWNGRADE: &str = "RFC 9113 §10.3: fields of HTTP/2 that are lines of HTTP/1.1";

pub fn attacks() -> Vec<Attack> {
    let groups = [framing(), lines(), fields(), http2()];
    groups.into_iter().flatten().collect()
}

/// What follows the first request, if a reader ends it too early.
const SECOND: &str = "GET /admin/smuggled HTTP/1.1\r\nhost: a.test\r\n\r\n";

/// Whether a second request has reached the workload, on whatever connection.
pub fn has_reached(notes: &Notes) -> bool {
    notes.count(|seen| seen.path.contains("smuggled")) > 0
}

fn framing() -> Vec<Attack> {
    let length = SECOND.len();
    let chunk = format!("{length:x}\r\n{SECOND}\r\n0\r\n\r\n");
    let rows = [
        (
            "both lengths",
            format!("content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}"),
        ),
        (
            "both, the other order",
            format!("transfer-encoding: chunked\r\ncontent-length: {}\r\n\r\n{chunk}", chunk.len()),
        ),
        ("two lengths", format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n{SECOND}")),
        ("two lengths in one line", format!("content-length: 0, {length}\r\n\r\n{SECOND}")),
        ("a negative length", format!("content-length: -1\r\n\r\n{SECOND}")),
        ("a length with a sign", format!("content-length: +{length}\r\n\r\n{SECOND}")),
        ("a length in hexadecimal", format!("content-length: 0x0\r\n\r\n{SECOND}")),
        (
            "a length that overflows",
            format!("content-length: 18446744073709551616\r\n\r\n{SECOND}"),
        ),
        ("a length with a space within", format!("content-length: 0 {length}\r\n\r\n{SECOND}")),
        ("a name with a space behind", format!("content-length : {length}\r\n\r\n{SECOND}")),
        ("a name with a NUL", format!("content-length\0: {length}\r\n\r\n{SECOND}")),
        ("an underscore", format!("content_length: {length}\r\nconnection: close\r\n\r\n")),
        ("chunked twice", format!("transfer-encoding: chunked, chunked\r\n\r\n{chunk}")),
        (
            "chunked and identity",
            format!("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n{chunk}"),
        ),
        ("not only chunked", format!("transfer-encoding: gzip, chunked\r\n\r\n{chunk}")),
        ("an unknown coding", format!("transfer-encoding: xchunked\r\n\r\n{chunk}")),
        ("a vertical tab", format!("transfer-encoding: \u{b}chunked\r\n\r\n{chunk}")),
        ("a tab before the colon", format!("transfer-encoding\t: chunked\r\n\r\n{chunk}")),
        ("in capitals", format!("transfer-encoding: CHUNKED\r\ncontent-length: 3\r\n\r\n{chunk}")),
        ("a line break alone", format!("x: y\ntransfer-encoding: chunked\r\n\r\n{chunk}")),
        (
            "a chunk that is too long",
            "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx".to_owned(),
        ),
        ("a chunk of no size", "transfer-encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n".to_owned()),
        ("a negative chunk", "transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n".to_owned()),
        (
            "a chunk with a break in its extension",
            "transfer-encoding: chunked\r\n\r\n1;x=\ny\r\nx\r\n0\r\n\r\n".to_owned(),
        ),
    ];
    let named = |(number, (name, rest)): (usize, &(&str, String))| {
        let mark = format!("framing {number}");
        let bytes = format!("POST /public/x HTTP/1.1\r\nhost: a.test\r\n{MARK}: {mark}\r\n{rest}");
        Attack::stream(format!("framing: {name}"), FRAMING, bytes, &mark, only("/public/x"))
    };
    rows.iter().enumerate().map(named).collect()
}

fn lines() -> Vec<Attack> {
    const LINES_: [&str; 20] = [
        "GET /public/x HTTP/1.1 HTTP/1.1",
        "GET /admin /public/x HTTP/1.1",
        "GET /public/x\t/admin HTTP/1.1",
        "GET\t/admin\tHTTP/1.1",
        "GET  /admin HTTP/1.1",
        " GET /admin HTTP/1.1",
        "GET /admin HTTP/1.1 ",
        "GET /admin",
        "GET /admin HTTP/0.9",
        "GET /admin HTTP/1.0",
        "GET /admin HTTP/2.0",
        "GET /admin HTTP/1.10",
        "GET /admin http/1.1",
        "GET /admin\u{0}/public HTTP/1.1",
        "GET /public/x\u{0}/../../admin HTTP/1.1",
        "GET /admin\rx HTTP/1.1",
        "GET admin HTTP/1.1",
        "GET http:/admin HTTP/1.1",
        "GET a.test:80 HTTP/1.1",
        "\u{16}\u{3}\u{1}\u{0}",
    ];
    let named = |(number, line): (usize, &&str)| {
        let mark = format!("line {number}");
        let bytes =
            format!("{line}\r\nhost: a.test\r\n{MARK}: {mark}\r\nconnection: close\r\n\r\n");
        Attack::stream(format!("line {line:?}"), LINES, bytes, &mark, only("/public/x"))
    };
    LINES_.iter().enumerate().map(named).collect()
}

fn fields() -> Vec<Attack> {
    let rows = [
        "authorization: Basic Og==\r\n Bearer x",
        "x: y\r\n\tauthorization: Bearer x",
        " x: y",
        ":path: /public/x",
        ":method: GET",
        ":authority: public",
        "no colon",
        ": empty name",
        "x y: z",
        "x\u{0}y: z",
        "x: a\u{0}b",
        "x: a\rb",
        "(x): y",
        "x\u{ff}: y",
    ];
    let named = |(number, row): (usize, &&str)| {
        let mark = format!("field {number}");
        let bytes =
            format!("GET /admin HTTP/1.1\r\nhost: a.test\r\n{MARK}: {mark}\r\n{row}\r\n\r\n");
        Attack::stream(format!("field {row:?}"), FOLDED, bytes, &mark, Outcome::Refused)
    };
    rows.iter().enumerate().map(named).collect()
}

fn http2() -> Vec<Attack> {
    let base =
        [(":method", "GET"), (":scheme", "http"), (":authority", "a.test"), (":path", "/public/x")];
    let mut attacks = Vec::new();
    for (index, name) in [(0, ":method"), (2, ":authority"), (3, ":path")] {
        for odd in [
            "\r\nx: y",
            "\n",
            "\r",
            "\u{0}",
            " HTTP/1.1\r\nx: y",
            "\r\n\r\nGET /admin HTTP/1.1\r\n\r\n",
            " ",
        ] {
            let mut fields = base;
            let value = format!("{}{odd}", base[index].1);
            fields[index].1 = &value;
            let what = format!("{name} with {odd:?}");
            attacks.push(Attack::http2(what, DOWNGRADE, &fields, only("/public/x")));
        }
    }
    for (name, value) in [
        (":path", "/admin"),
        (":method", "DELETE"),
        (":authority", "b.test"),
        (":scheme", "https"),
        (":status", "200"),
        (":unknown", "x"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("connection", "x-sub"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
        ("content-length", "100"),
        ("content-length", "0, 5"),
        ("x\r\ny", "z"),
        ("x: y\r\nz", "z"),
        ("x", "y\r\nz: a"),
        ("x", "y\u{0}"),
        ("X-Capital", "y"),
        ("", "y"),
        ("host", "b.test"),
    ] {
        let mut fields = base.to_vec();
        fields.push((name, value));
        let what = format!("the field {name:?}: {value:?}");
        attacks.push(Attack::http2(what, DOWNGRADE, &fields, only("/public/x")));
    }
    for missing in 0..base.len() {
        let mut fields = base.to_vec();
        fields.remove(missing);
        let what = format!("without {}", base[missing].0);
        attacks.push(Attack::http2(what, DOWNGRADE, &fields, only("/public/x")));
    }
    attacks
}

/// The workload gets a request for this path, if any, and none for another.
fn only(path: &'static str) -> Outcome {
    Outcome::Harmless(Box::new(move |seen: &Seen| {
        if seen.path == path {
            return Ok(());
        }
        Err(format!("the workload got {} {}", seen.method, seen.path))
    }))
}
