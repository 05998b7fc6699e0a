//! Whether keys can change under load. An issuer rotates its keys every ten seconds while requests
//! come with tokens of its key of now, of a key that it has removed, and of a stranger. Each answer is
//! compared with the one that it must be.
//!
//! ```text
//! cargo run --release -p jwt-rbac-bench --bin rotate [-- SECONDS]
//! ```

use std::env;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::connections::Connections;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::key_server::{self, Behaviour, CLUSTER, KeyServer};
use jwt_rbac_e2e::listener::ours;
use jwt_rbac_e2e::tokens::Recipe;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Value, json};

/// How long requests are sent where nobody says otherwise, in seconds.
const SECONDS: u64 = 120;
/// Requests in a second.
const RATE: usize = 2_000;
/// How often the issuer takes its next key.
const PERIOD: Duration = Duration::from_secs(10);
/// The keys that it takes, one after the other. The next one is published a period before it signs.
const KEYS: [&str; 4] = ["rs256", "es256", "es384", "eddsa"];
/// Different tokens of each key.
const TOKENS: usize = 40;
/// Requests that are sent at once.
const BATCH: usize = 20;
const THREADS: usize = 2;
/// How many bytes the memory of the process may grow after the first period.
const BOUND: u64 = 2 << 20;

fn main() -> ExitCode {
    match seconds().and_then(rotate) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("rotate: {message}");
            ExitCode::FAILURE
        }
    }
}

fn seconds() -> Result<u64, String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Some(SECONDS),
        [text] => text.parse().ok().filter(|seconds| *seconds >= 30),
        _ => None,
    }
    .ok_or_else(|| "usage: rotate [SECONDS], at least 30".to_owned())
}

/// The tokens of one key.
struct Signed {
    requests: Vec<Vec<u8>>,
    key_id: String,
}

fn rotate(seconds: u64) -> Result<(), String> {
    let keys: Vec<Signed> = KEYS.iter().map(|key| Signed::by(key)).collect();
    let stranger = Signed::by("stranger-rs256");
    let server = KeyServer::start(Behaviour::serves(&published(&keys, 0)));
    let mut bootstrap = bootstrap(Upstream::start().address, &[ours("ours", &document())], None);
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    clusters.ok_or("no clusters")?.push(server.cluster(CLUSTER));
    let envoy = Envoy::start(&artifacts::envoy()?, &bootstrap)?;
    let address = envoy.address("ours");
    let (start, sent) = (Instant::now(), AtomicUsize::new(0));
    let end = Duration::from_secs(seconds);
    let mut before = 0;
    thread::scope(|scope| {
        let (keys, stranger, sent) = (&keys, &stranger, &sent);
        let work = move || send(address, keys, stranger, start, end, sent);
        let senders: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let mut period = 0;
        while start.elapsed() < end && senders.iter().any(|sender| !sender.is_finished()) {
            thread::sleep(Duration::from_millis(10));
            if period_at(start.elapsed()) == period {
                continue;
            }
            period = period_at(start.elapsed());
            server.behave(Behaviour::serves(&published(keys, period)));
            let memory = envoy.resident_memory();
            // Every key has been used by then, and the cache has the tokens of each.
            if period <= KEYS.len() {
                before = memory;
            }
            let (sent, fetched) = (sent.load(Ordering::Relaxed), server.asked().len());
            println!(
                "{:4} s, rotation {period}: {sent} requests, {fetched} fetches, {:.1} MiB resident",
                start.elapsed().as_secs(),
                mebibytes(memory),
            );
        }
        let sent: io::Result<()> =
            senders.into_iter().try_for_each(|it| it.join().expect("a sender does not panic"));
        sent.map_err(|error| format!("{error}\n{}", envoy.log_tail()))
    })?;
    let after = envoy.resident_memory();
    let gained = mebibytes(after) - mebibytes(before);
    println!(
        "{} requests in {seconds} s, {} rotations, every answer right; {} fetches; {:.1} MiB resident, \
         {gained:+.1} MiB since the fourth rotation",
        sent.load(Ordering::Relaxed),
        period_at(end).saturating_sub(1),
        server.asked().len(),
        mebibytes(after),
    );
    if before > 0 && after > before + BOUND {
        return Err(format!(
            "Envoy gained {gained:.1} MiB, at most {:.1} are allowed",
            mebibytes(BOUND)
        ));
    }
    Ok(())
}

impl Signed {
    fn by(key: &str) -> Self {
        let token = |number: usize| {
            let recipe = Recipe { key: key.to_owned(), ..Recipe::of_caller("user") };
            recipe.claim("jti", format!("{key} {number}").into()).mint()
        };
        let tokens: Vec<_> = (0..TOKENS).map(token).collect();
        Self {
            requests: tokens.iter().map(|token| Request::get("/").bearer(token).bytes()).collect(),
            key_id: jwt_rbac_e2e::tokens::key_id(key),
        }
    }
}

/// The number of the period, from 0.
fn period_at(time: Duration) -> usize {
    usize::try_from(time.as_secs() / PERIOD.as_secs()).unwrap_or(usize::MAX)
}

/// The key set of a period: the key that signs, and the next one.
fn published(keys: &[Signed], period: usize) -> Value {
    let ids = [0, 1].map(|offset| &*keys[(period + offset) % keys.len()].key_id);
    let all = artifacts::key_set("jwks-all.json");
    let mut set: Value = serde_json::from_str(&all).expect("a key set");
    set["keys"]
        .as_array_mut()
        .expect("a list")
        .retain(|key| ids.iter().any(|id| key["kid"] == *id));
    set
}

fn document() -> Value {
    json!({
        "jwtRules": [key_server::rule()],
        "routes": [{"paths": ["/"], "permissions": ["read:book-details"]}],
    })
}

/// Sends requests at the rate of one thread until the end.
fn send(
    address: SocketAddr,
    keys: &[Signed],
    stranger: &Signed,
    start: Instant,
    end: Duration,
    sent: &AtomicUsize,
) -> io::Result<()> {
    let mut connections = Connections::open(address, BATCH)?;
    let pause = Duration::from_secs(1) / u32::try_from(RATE / THREADS / BATCH).unwrap_or(1);
    let mut turn = 0_u32;
    while start.elapsed() < end {
        let now = start.elapsed();
        let period = period_at(now);
        // Near the end of a period the answer could fall into the next one.
        let is_near_end = period_at(now + Duration::from_secs(1)) > period;
        let (signed, status) = match turn % 10 {
            0 => (stranger, 401),
            // Published last two periods ago: every worker has fetched since.
            1 | 2 if period >= 2 && !is_near_end => (&keys[(period - 2) % keys.len()], 401),
            _ => (&keys[period % keys.len()], 200),
        };
        let first = usize::try_from(turn).unwrap_or(0) * BATCH;
        let requests = (first..first + BATCH).map(|number| &signed.requests[number % TOKENS]);
        let context = |error: io::Error| {
            io::Error::other(format!("after {:.1} s: {error}", now.as_secs_f64()))
        };
        sent.fetch_add(connections.exchange(requests, status).map_err(context)?, Ordering::Relaxed);
        turn += 1;
        thread::sleep((pause * turn).saturating_sub(start.elapsed()));
    }
    Ok(())
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0
}
