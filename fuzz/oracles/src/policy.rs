//! The document that requests are asked about, and the secret that its tokens are signed with.

use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac::document::Document;
use jwt_rbac::worker::Worker;
use serde_json::{Value, json};

/// The time of every decision, in seconds since 1970.
pub const NOW: u64 = 1_800_000_000;
/// The issuer of the document.
pub const ISSUER: &str = "https://tenant.auth0.com/";
/// The audience of the document.
pub const AUDIENCE: &str = "https://bookinfo.io";
/// The secret: a signature with it takes a microsecond, so that many can be tried.
pub const SECRET: &[u8; 64] = b"this secret is for tests alone; it signs what the fuzzer makes..";
/// The value of the fence.
pub const FENCE: &str = "a-fence-of-the-fuzzer";

/// A document with every feature that looks at what a client sends.
pub fn config() -> Value {
    json!({
        "jwtRules": [{
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": ["HS256", "HS384", "HS512"],
            "jwks": {"keys": [{"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode(SECRET)}]},
            "fromHeaders": [
                {"name": "authorization", "prefix": "Bearer "},
                {"name": "x-token"},
                {"name": "x-assertion", "prefix": "JWT "},
            ],
            "fromParams": ["access_token"],
            "fromCookies": ["session"],
            "outputClaimToHeaders": [
                {"header": "x-sub", "claim": "sub"},
                {"header": "x-groups", "claim": "groups", "format": "LIST"},
            ],
            "outputPayloadToHeader": "x-payload",
            "roleClaims": ["roles", "[realm_access][roles]"],
            "rolePermissions": {"admin": ["admin:all", "read"], "user": ["read"]},
        }],
        "routes": [
            {"name": "admin", "paths": ["/admin/{**}"], "permissions": ["admin:all"]},
            {"name": "members", "paths": ["/members"], "access": "AUTHENTICATED"},
            {"name": "own", "paths": ["/users/{user}"],
                "claims": [{"claim": "sub", "pathVariable": "user"}]},
            {"name": "tenant", "paths": ["/t/{t}/x", "/t/{t}/{**}"], "methods": ["GET", "PUT"],
                "claims": [{"claim": "tenant", "values": [7, "acme"]}], "permissions": ["read"]},
            {"name": "optional", "paths": ["/optional"], "access": "PUBLIC", "token": "OPTIONAL"},
            {"name": "rest", "paths": ["/{**}"], "access": "PUBLIC"},
        ],
        "corsPreflight": "ALLOW",
        "responses": {
            "missingToken": {"status": 401},
            "forbidden": {"insufficientScope": true},
            "resourceMetadata": "https://api.example.com/.well-known/oauth-protected-resource",
            "corsOrigins": ["https://app.example.com"],
        },
        "revoked": {"jti": ["stolen"]},
        "fence": {"header": "x-fence", "value": FENCE},
        "decisionLog": "ALL",
    })
}

/// [`config`] as the filter has it.
pub fn document() -> Document {
    match jwt_rbac_config::compile(config().to_string().as_bytes(), &mut RustCrypto) {
        Ok((document, _)) => document,
        Err(problems) => panic!("{:?}", problems.errors),
    }
}

/// Calls this with the document, and with a worker that remembers what it was asked before.
pub fn with_document<T>(ask: impl FnOnce(&Document, &mut Worker) -> T) -> T {
    thread_local! {
        static DOCUMENT: Document = document();
        static WORKER: RefCell<Worker> = RefCell::new(DOCUMENT.with(Worker::new));
    }
    DOCUMENT.with(|document| WORKER.with_borrow_mut(|worker| ask(document, worker)))
}
