//! Methods: a route that is open for one is not open for another.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::upstream::Seen;

use crate::attack::{Attack, Outcome};

const CASE: &str = "RFC 9110 §9.1: methods are case-sensitive, workloads are not";
const OVERRIDE: &str = "OWASP WSTG-CONF-06: headers that override the method";
const GRPC: &str = "Envoy Grpc::Common: content types of gRPC";

pub fn attacks() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for method in [
        "DELETE",
        "delete",
        "Delete",
        "dELETE",
        "PUT",
        "PATCH",
        "POST",
        "OPTIONS",
        "TRACE",
        "CONNECT",
        "PROPFIND",
        "MOVE",
        "get",
        "Get",
        "GET/",
        "GETX",
        "XGET",
        "HEADX",
        "*",
        "PRI",
        "DELETE%20",
        "GET,DELETE",
    ] {
        // HTTP/1.1 has no word for CONNECT with a path.
        let name = format!("{method} of what only GET may do");
        let request = Request::new(method, "/items/1");
        attacks.push(Attack::new(name, CASE, request, Outcome::Refused));
    }
    for field in
        ["GET DELETE", " GET", "GET ", "GET\t", "GET\r\nx: y", "\u{ff}GET", "", "DELETE\u{0}"]
    {
        let fields = [
            (":method", field),
            (":scheme", "http"),
            (":authority", "a.test"),
            (":path", "/items/1"),
        ];
        let name = format!(":method {field:?}");
        attacks.push(Attack::http2(name, CASE, &fields, Outcome::Refused));
    }
    for header in [
        "x-http-method-override",
        "X-HTTP-Method-Override",
        "x_http_method_override",
        "x-http-method",
        "x-method-override",
        "X-Http_Method-Override",
    ] {
        let request = Request::get("/items/1").header(header, "DELETE");
        let outcome = Outcome::Reached(Box::new(no_override));
        attacks.push(Attack::new(format!("{header}: DELETE"), OVERRIDE, request, outcome));
        let request = Request::new("DELETE", "/items/1").header(header, "GET");
        let name = format!("{header}: GET on a DELETE");
        attacks.push(Attack::new(name, OVERRIDE, request, Outcome::Denied));
    }
    for kind in
        ["application/grpc", "application/grpc+proto", "application/grpc-web", "APPLICATION/GRPC"]
    {
        let request = Request::new("POST", "/admin/x.Service/Call").header("content-type", kind);
        let name = format!("content type {kind}");
        attacks.push(Attack::new(name, GRPC, request, Outcome::Refused));
    }
    attacks
}

fn no_override(seen: &Seen) -> Result<(), String> {
    let is_override = |(name, _): &&(String, String)| {
        let name = name.to_ascii_lowercase().replace('_', "-");
        name.contains("method")
    };
    let found = seen.headers.iter().find(is_override);
    found.map_or(Ok(()), |header| Err(format!("the workload got {header:?}")))
}
