//! Good and hostile requests for `make soak`, each with the statuses that are right for it under every
//! document.

use std::io::{self, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::garbage::Garbage;
use jwt_rbac_e2e::key_server::Behaviour;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::wire::Head;
use jwt_rbac_e2e::{artifacts, tokens};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(20);
/// The cluster of the server of the keys that are fetched.
pub const KEYS_CLUSTER: &str = "keys";

/// The document with this number: keys and permissions differ from the one before it.
pub fn document(number: usize) -> Value {
    let mut provider = tokens::provider();
    provider["jwks"] = key_set(number).to_string().into();
    provider["outputClaimToHeaders"] = json!([{"header": "x-sub", "claim": "sub"}]);
    let permission = ["even", "odd"][number / 2 % 2];
    json!({
        "jwtRules": [provider, {
            "issuer": SECRET_ISSUER,
            "audiences": ["https://bookinfo.io"],
            "algorithms": ["HS512"],
            "jwks": artifacts::key_set("jwks-oct.json"),
        }, {
            "issuer": FETCHED_ISSUER,
            "audiences": ["https://bookinfo.io"],
            "jwksUri": "http://keys.test/jwks",
            "jwksCluster": KEYS_CLUSTER,
            "jwksRefreshInterval": "5s",
            "allowInsecureJwks": true,
        }],
        "routes": [
            {"name": "members", "paths": ["/members"], "access": "AUTHENTICATED"},
            {"name": "changing", "paths": ["/changing"],
                "permissions": [permission]},
            {"name": "closed", "paths": ["/closed/{**}"], "access": "DENIED"},
            {"name": "public", "paths": ["/public/{**}"], "access": "PUBLIC"},
        ],
    })
}

const SECRET_ISSUER: &str = "https://secret.example.com/";
const FETCHED_ISSUER: &str = "https://fetched.example.com/";

/// What the key server does in this period: the RSA key comes and goes, and now and then there is no key set.
/// The key of ES256 always stays.
pub fn key_server(number: usize) -> Behaviour {
    match number % 20 {
        7..10 => Behaviour::body(500, b"no"),
        14 => Behaviour::body(200, b"<html>"),
        _ => Behaviour::serves(&key_set(number / 10)),
    }
}

/// Every other set lacks the key of RS256.
fn key_set(number: usize) -> Value {
    let mut set: Value = serde_json::from_str(&artifacts::jwks()).expect("a key set is JSON");
    if number % 2 == 1 {
        let keys = set["keys"].as_array_mut().expect("a list of keys");
        keys.retain(|key| key["kty"] != "RSA");
    }
    set
}

/// A client with one connection, which is opened again where Envoy has closed it.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    requests: Vec<(Request, &'static [u16])>,
    /// Counts what was asked; each client starts somewhere else, so that no two send one token.
    number: usize,
    garbage: Garbage,
}

impl Client {
    /// The client with this number.
    pub fn new(address: SocketAddr, number: usize) -> Self {
        let requests = requests();
        Self { address, connection: None, requests, number: number << 40, garbage: Garbage::new() }
    }

    /// Sends the next request. Returns the status of its answer.
    ///
    /// # Errors
    /// An answer that is not right, or none.
    pub fn ask(&mut self) -> Result<u16, String> {
        self.number += 1;
        let (request, wanted) = self.next();
        let status = self.send(&request).map_err(|error| format!("{error}: {request:?}"))?;
        if wanted.contains(&status) {
            return Ok(status);
        }
        Err(format!("{status}, expected one of {wanted:?}: {request:?}"))
    }

    /// Every fourth request has a token that was never sent, every fourth garbage for a token; the
    /// others take turns.
    fn next(&mut self) -> (Request, &'static [u16]) {
        match self.number % 4 {
            0 => (Request::get("/members").bearer(&fresh_token(self.number)), &[200]),
            1 => {
                let damaged = self.garbage.damaged(b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA");
                // What is left of a line break would be another request.
                let token: String = damaged.iter().map(|&byte| char::from(byte)).collect();
                (Request::get("/members").bearer(&token), &[401])
            }
            _ => self.requests[self.number / 4 % self.requests.len()].clone(),
        }
    }

    /// A connection that was idle may be closed by the listener that goes: the request is sent again.
    fn send(&mut self, request: &Request) -> io::Result<u16> {
        let kept = self.connection.is_some();
        match self.exchange(request) {
            Err(_) if kept => self.exchange(request),
            answer => answer,
        }
    }

    fn exchange(&mut self, request: &Request) -> io::Result<u16> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.address)?,
        };
        connection.get_mut().write_all(&request.bytes())?;
        let head = Head::read(&mut connection)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        head.read_body(&mut connection, false)?;
        if !head.values("connection").any(|value| value == "close") {
            self.connection = Some(connection);
        }
        let status = head.start.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::Error::other(head.start))
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(BufReader::new(stream))
}

/// A good token that was never sent.
fn fresh_token(number: usize) -> String {
    let recipe = Recipe { algorithm: Some("HS512".to_owned()), ..Recipe::of_caller("user") };
    recipe
        .key("hs512")
        .claim("iss", SECRET_ISSUER.into())
        .claim("sub", format!("auth0|{number}").into())
        .mint()
}

fn requests() -> Vec<(Request, &'static [u16])> {
    let es256 = Recipe::of_caller("user").key("es256");
    let rs256 = Recipe::of_caller("user");
    // They have to last as long as the soak.
    let lasting = |recipe: Recipe| recipe.claim("exp", json!("now+86400"));
    let good = lasting(es256.clone()).mint();
    let even = lasting(es256.clone()).claim("permissions", json!(["even"])).mint();
    let rotated = lasting(rs256.clone()).mint();
    let stranger = lasting(rs256.key("stranger-es256")).mint();
    let expired = es256.clone().claim("exp", json!("now-3600")).mint();
    let large = lasting(es256.clone()).claim("x", json!("x".repeat(20_000))).mint();
    let too_large = lasting(es256).claim("x", json!("x".repeat(30_000))).mint();
    let fetched = |recipe: Recipe| lasting(recipe).claim("iss", FETCHED_ISSUER.into()).mint();
    let [by_fetched, by_rotated, by_unknown] =
        ["es256", "rs256", "stranger-es256"].map(|key| fetched(Recipe::of_caller("user").key(key)));
    let members = || Request::get("/members");
    vec![
        (members().bearer(&by_fetched), &[200]),
        (members().bearer(&by_rotated), &[200, 401]),
        (members().bearer(&by_unknown), &[401]),
        (members().bearer(&good), &[200]),
        (members().bearer(&good).header("x-sub", "admin").header("x_sub", "admin"), &[200]),
        (members().bearer(&rotated), &[200, 401]),
        (members().bearer(&stranger), &[401]),
        (members().bearer(&expired), &[401]),
        (members().bearer(&large), &[200]),
        (members().bearer(&too_large), &[401]),
        (members(), &[403]),
        (members().bearer(&good).header("authorization", "Bearer a.b.c"), &[401]),
        (Request::get(&format!("/members?access_token={good}&a=b")), &[200]),
        (Request::get("/changing").bearer(&even), &[200, 403]),
        (Request::get("/changing").bearer(&good), &[403]),
        (Request::get("/closed/x").bearer(&good), &[403]),
        (Request::get("/public/x"), &[200]),
        (Request::get("/public/..%2fclosed"), &[403]),
        (Request::get(&format!("/public{}", "/a".repeat(5_000))), &[200, 403]),
        (Request::get("/public/x").header("cookie", &"a=b; ".repeat(2_000)), &[200]),
        (Request::new("POST", "/members").body("{}").bearer(&good), &[200]),
        (Request::get("/nowhere"), &[403]),
    ]
}
