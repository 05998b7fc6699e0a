//! Whether the filter holds out. Two clients send good and hostile requests for a long time, while
//! documents and the keys in them change, some documents are refused, and a key server takes a key away,
//! gives it back and fails now and then. Every answer must be right, none a 5xx, no VM may be lost, and
//! the memory of Envoy must stay what it was when the cache of tokens was full.
//!
//! ```text
//! cargo run --release -p jwt-rbac-bench --bin soak [-- SECONDS]
//! ```

use std::collections::BTreeMap;
use std::env;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_bench::hostile::{self, Client};
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::key_server::KeyServer;
use jwt_rbac_e2e::lds::{ListenerFile, Update};
use jwt_rbac_e2e::listener;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::Value;

const LISTENER: &str = "soak";
const SECONDS: u64 = 600;
const CLIENTS: usize = 2;
const WORKERS: usize = 2;
/// How long a document stays.
const PERIOD: Duration = Duration::from_secs(1);
/// One document of so many is refused.
const REFUSED: usize = 10;
/// How many bytes the memory of the process may grow after a fifth of the time.
const BOUND: u64 = 8 << 20;

/// What the clients have seen.
type Statuses = BTreeMap<u16, usize>;

fn main() -> ExitCode {
    match seconds().and_then(soak) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("soak: {message}");
            ExitCode::FAILURE
        }
    }
}

fn seconds() -> Result<u64, String> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => Some(SECONDS),
        [text] => text.parse().ok().filter(|seconds| *seconds >= 10),
        _ => None,
    }
    .ok_or_else(|| "usage: soak [SECONDS], at least 10".to_owned())
}

fn soak(seconds: u64) -> Result<(), String> {
    let mut file = ListenerFile::create(&[listening(0)]);
    let keys = KeyServer::start(hostile::key_server(0));
    let mut bootstrap = bootstrap(Upstream::start().address, &[], Some(file.path()));
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    clusters.ok_or("no clusters")?.push(keys.cluster(hostile::KEYS_CLUSTER));
    let mut envoy = Envoy::start_with_workers(&artifacts::envoy()?, &bootstrap, WORKERS)?;
    let address = envoy.address(LISTENER);
    let (is_over, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let ask = |number: usize| {
        let asked = ask_until(&mut Client::new(address, number), &is_over, &sent);
        // The documents stop too.
        is_over.store(true, Ordering::Relaxed);
        asked
    };
    let (statuses, published) = thread::scope(|scope| {
        let ask = &ask;
        let clients: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || ask(number))).collect();
        let published = publish_until(&mut envoy, &mut file, &keys, end, &is_over, &sent);
        is_over.store(true, Ordering::Relaxed);
        let mut statuses = Statuses::new();
        for client in clients {
            for (status, count) in client.join().expect("a client does not panic")? {
                *statuses.entry(status).or_default() += count;
            }
        }
        Ok::<_, String>((statuses, published?))
    })
    .map_err(|message| format!("{message}\n{}", envoy.log_tail()))?;
    let traps = envoy.traps();
    if !traps.is_empty() {
        return Err(format!("a VM was lost: {traps:?}"));
    }
    if keys.asked().is_empty() {
        return Err("no keys were fetched".to_owned());
    }
    println!("{} fetches of a key set that changed every ten seconds", keys.asked().len());
    published.report(seconds, &statuses)
}

/// What was measured.
struct Published {
    documents: usize,
    refused: usize,
    before: u64,
    after: u64,
}

impl Published {
    fn report(&self, seconds: u64, statuses: &Statuses) -> Result<(), String> {
        let Self { documents, refused, before, after } = self;
        let total: usize = statuses.values().sum();
        let [before_mib, after_mib] = [*before, *after].map(mebibytes);
        println!("{total} requests in {seconds} s, every answer as it should be: {statuses:?}");
        println!("{documents} documents, {refused} of them refused; no VM was lost");
        println!(
            "{before_mib:.1} MiB resident after a fifth of the time, {after_mib:.1} at the end"
        );
        if *after > before + BOUND {
            let bound = mebibytes(BOUND);
            return Err(format!("Envoy gained more than {bound:.0} MiB"));
        }
        Ok(())
    }
}

/// Publishes documents until the end, or until a client has seen something wrong.
fn publish_until(
    envoy: &mut Envoy,
    file: &mut ListenerFile,
    keys: &KeyServer,
    end: Instant,
    is_over: &AtomicBool,
    sent: &AtomicUsize,
) -> Result<Published, String> {
    let start = Instant::now();
    let warm = start + (end - start) / 5;
    let mut published = Published { documents: 0, refused: 0, before: 0, after: 0 };
    while Instant::now() < end && !is_over.load(Ordering::Relaxed) {
        thread::sleep(PERIOD);
        published.documents += 1;
        let number = published.documents;
        keys.behave(hostile::key_server(number));
        if number.is_multiple_of(REFUSED) {
            let mut bad = listening(number);
            make_bad(&mut bad);
            if file.publish(envoy, &[bad]) != Update::Rejected {
                return Err("a bad document was taken".to_owned());
            }
            published.refused += 1;
        } else if file.publish(envoy, &[listening(number)]) != Update::Accepted {
            return Err("a good document was refused".to_owned());
        }
        if published.before == 0 && Instant::now() >= warm {
            published.before = settled_memory(envoy);
        }
        if number.is_multiple_of(10) {
            let memory = mebibytes(envoy.resident_memory());
            let sent = sent.load(Ordering::Relaxed);
            println!("{sent:9} requests, {number:4} documents, {memory:.1} MiB resident");
        }
    }
    published.after = settled_memory(envoy);
    Ok(published)
}

fn ask_until(
    client: &mut Client,
    is_over: &AtomicBool,
    sent: &AtomicUsize,
) -> Result<Statuses, String> {
    let mut statuses = Statuses::new();
    while !is_over.load(Ordering::Relaxed) {
        let status = client.ask()?;
        *statuses.entry(status).or_default() += 1;
        sent.fetch_add(1, Ordering::Relaxed);
    }
    Ok(statuses)
}

fn listening(number: usize) -> Value {
    listener::ours(LISTENER, &hostile::document(number))
}

/// Cuts the document short.
fn make_bad(listener: &mut Value) {
    let filters = &mut listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"];
    let value = &mut filters[0]["typed_config"]["config"]["configuration"]["value"];
    let text = value.as_str().expect("a document is a text");
    *value = text[..text.len() / 2].into();
}

/// The memory of Envoy when no listener drains any more.
fn settled_memory(envoy: &Envoy) -> u64 {
    for _ in 0..100 {
        if envoy.stat("listener_manager.total_listeners_draining") == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    envoy.resident_memory()
}

fn mebibytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes >> 10).unwrap_or(u32::MAX)) / 1024.0
}
