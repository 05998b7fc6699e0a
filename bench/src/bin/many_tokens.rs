//! Whether the filter leaks memory. It gets many different tokens with HS256, which is checked in
//! Wasm, and none of them twice. Every answer must be 200, the cache must find none of them, and
//! the memory of Envoy must stay what it was when the first tokens had filled the cache.
//!
//! ```text
//! cargo run --release -p jwt-rbac-bench --bin many_tokens [-- TOKENS]
//! ```

use std::env;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_bench::listeners::{self, Chain};
use jwt_rbac_bench::policy;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::connections::Connections;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Value, json};

const LISTENER: &str = "many-tokens";
const TOKENS: usize = 1_000_000;
/// More tokens than the cache holds: it has 4 MiB, and a token takes at least half a kilobyte.
const WARM_UP: usize = 20_000;
/// How many bytes the memory of the process may grow. A leaked identity takes more than 100 bytes,
/// so a leak of every fiftieth of a million tokens would show.
const BOUND: u64 = 2 << 20;
/// One thread signs and writes while Envoy answers the other.
const THREADS: usize = 2;
const CONNECTIONS: usize = 16;
const PROGRESS: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    match tokens().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("many_tokens: {message}");
            ExitCode::FAILURE
        }
    }
}

fn tokens() -> Result<usize, String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Some(TOKENS),
        [text] => text.parse().ok().filter(|tokens| *tokens > 0),
        _ => None,
    }
    .ok_or_else(|| "usage: many_tokens [TOKENS]".to_owned())
}

fn run(tokens: usize) -> Result<(), String> {
    let chain = Chain::Ours(document());
    let bootstrap = listeners::bootstrap([(LISTENER.to_owned(), &chain)], &artifacts::wasm()?)?;
    let envoy = Envoy::start(&artifacts::envoy()?, &bootstrap)?;
    send(&envoy, 0, WARM_UP)?;
    let before = envoy.resident_memory();
    println!("{:.1} MiB resident after {WARM_UP} tokens, which fill the cache", mebibytes(before));
    let start = Instant::now();
    send(&envoy, WARM_UP, tokens)?;
    let seconds = start.elapsed().as_secs_f64();
    let after = envoy.resident_memory();
    let gained = mebibytes(after) - mebibytes(before);
    println!(
        "{tokens} different tokens in {seconds:.0} s, every answer 200; {:.1} MiB resident, {gained:+.1} MiB",
        mebibytes(after)
    );
    check_cache(&envoy, WARM_UP + tokens)?;
    if after > before + BOUND {
        let bound = mebibytes(BOUND);
        return Err(format!("Envoy gained {gained:.1} MiB, at most {bound:.1} are allowed"));
    }
    Ok(())
}

/// A document of defaults that lists `HS256`, because secrets must be listed.
fn document() -> Value {
    let mut document = policy::document(10, &artifacts::key_set("jwks-oct.json"));
    document["jwtRules"][0]["algorithms"] = json!(["HS256"]);
    document
}

/// The token with this number, as its issuer would mint it now.
fn token(number: usize) -> String {
    let recipe = Recipe { algorithm: Some("HS256".to_owned()), ..Recipe::default() };
    recipe
        .key("hs512")
        .claim("iss", policy::ISSUER.into())
        .claim("aud", policy::AUDIENCE.into())
        .claim("sub", format!("auth0|{number}").into())
        .claim("permissions", policy::granted_permissions().into())
        .mint()
}

/// Sends this many tokens, of which the first has this number.
fn send(envoy: &Envoy, first: usize, tokens: usize) -> Result<(), String> {
    let address = envoy.address(LISTENER);
    let (next, end) = (AtomicUsize::new(first), first + tokens);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let sent = send_on(address, &next, end);
                    if sent.is_err() {
                        // The other threads stop too.
                        next.store(end, Ordering::Relaxed);
                    }
                    sent
                })
            })
            .collect();
        scope.spawn(|| show_progress(envoy, &next, first, end, &is_over));
        let sent: io::Result<()> =
            senders.into_iter().try_for_each(|it| it.join().expect("a sender does not panic"));
        is_over.store(true, Ordering::Relaxed);
        sent.map_err(|error| format!("{error}\n{}", envoy.log_tail()))
    })
}

/// Sends tokens that no thread has sent yet, until none is left.
fn send_on(address: SocketAddr, next: &AtomicUsize, end: usize) -> io::Result<()> {
    let mut connections = Connections::open(address, CONNECTIONS)?;
    let request = Request::get(&policy::permitted_path(10));
    loop {
        let first = next.fetch_add(CONNECTIONS, Ordering::Relaxed);
        if first >= end {
            return Ok(());
        }
        let numbers = first..end.min(first + CONNECTIONS);
        let requests = numbers.map(|number| request.clone().bearer(&token(number)).bytes());
        connections.exchange(requests, 200)?;
    }
}

/// Prints the progress every few seconds.
fn show_progress(
    envoy: &Envoy,
    next: &AtomicUsize,
    first: usize,
    end: usize,
    is_over: &AtomicBool,
) {
    let (mut told, mut sent_then) = (Instant::now(), 0);
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(20));
        if told.elapsed() < PROGRESS {
            continue;
        }
        let sent = next.load(Ordering::Relaxed).min(end) - first;
        let rate = number(sent - sent_then) / told.elapsed().as_secs_f64();
        let memory = mebibytes(envoy.resident_memory());
        println!("{sent:9} sent, {rate:6.0} per second, {memory:.1} MiB resident");
        (told, sent_then) = (Instant::now(), sent);
    }
}

/// Fails if the cache found a token: none was sent twice, so it was taken for another one.
fn check_cache(envoy: &Envoy, sent: usize) -> Result<(), String> {
    let [hits, misses] =
        envoy.stats(["wasmcustom.jwt_rbac_cache_hits", "wasmcustom.jwt_rbac_cache_misses"]);
    if hits == 0 && misses == sent as u64 {
        return Ok(());
    }
    Err(format!("{sent} different tokens: the cache counted {hits} hits and {misses} misses"))
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
