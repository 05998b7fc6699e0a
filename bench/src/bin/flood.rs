//! What it costs to log a flood of denials: the processor time of Envoy for each denied request
//! under `decisionLog: DENIALS`, compared with `OFF`. Both take turns of a quarter of a second, so
//! that other load on the machine affects both.
//!
//! ```text
//! cargo run --release -p jwt-rbac-bench --bin flood [-- ROUNDS [SECONDS]]
//! ```

use std::env;
use std::io;
use std::iter;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::connections::Connections;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::{Value, json};

/// The highest ratio of the costs with and without the log.
const BOUND: f64 = 1.05;
/// With fewer denials a second it is no flood, and the result means nothing.
const LEAST_RATE: f64 = 10_000.0;
/// The two listeners, and their `decisionLog`.
const LISTENERS: [&str; 2] = ["OFF", "DENIALS"];
const THREADS: usize = 2;
/// How long one turn of a listener takes.
const TURN: Duration = Duration::from_millis(250);
const CONNECTIONS: usize = 16;

/// The sum of one listener's turns in a round.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    requests: u32,
    /// Processor time of Envoy.
    spent: Duration,
    lasted: Duration,
}

impl Sum {
    /// Processor time for each request, in microseconds.
    fn cost(self) -> f64 {
        self.spent.as_secs_f64() * 1e6 / f64::from(self.requests)
    }

    /// Requests in a second.
    fn rate(self) -> f64 {
        f64::from(self.requests) / self.lasted.as_secs_f64()
    }
}

fn main() -> ExitCode {
    match arguments().and_then(|(rounds, time)| measure(rounds, time)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("flood: {message}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<(usize, Duration), String> {
    const USAGE: &str = "usage: flood [ROUNDS [SECONDS]]";
    let numbers = env::args().skip(1).map(|text| text.parse().ok().filter(|number| *number > 0));
    let numbers: Vec<u32> = numbers.collect::<Option<_>>().ok_or(USAGE)?;
    let (rounds, seconds) = match numbers.as_slice() {
        [] => (9, 3),
        [rounds] => (*rounds, 3),
        [rounds, seconds] => (*rounds, *seconds),
        _ => return Err(USAGE.to_owned()),
    };
    Ok((rounds as usize, Duration::from_secs(seconds.into())))
}

fn measure(rounds: usize, time: Duration) -> Result<bool, String> {
    let module = artifacts::wasm()?;
    let listeners =
        LISTENERS.map(|log| listener(log, &[filters::jwt_rbac(log, &document(log), &module)]));
    let bootstrap = bootstrap(Upstream::start().address, &listeners, None);
    let envoy = Envoy::start(&artifacts::envoy()?, &bootstrap)?;
    round(&envoy, TURN * 8)?;
    println!("round   OFF µs/request   DENIALS µs/request   ratio   requests/s");
    let mut ratios = Vec::new();
    let mut least_rate = f64::INFINITY;
    for number in 1..=rounds {
        let [off, denials] = round(&envoy, time)?;
        let ratio = denials.cost() / off.cost();
        println!(
            "{number:5}   {:14.2}   {:18.2}   {ratio:5.3}   {:.0} and {:.0}",
            off.cost(),
            denials.cost(),
            off.rate(),
            denials.rate(),
        );
        least_rate = least_rate.min(off.rate()).min(denials.rate());
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = f64::midpoint(ratios[(rounds - 1) / 2], ratios[rounds / 2]);
    println!(
        "ratio: median {median:.3}, from {:.3} to {:.3}; {} lines were written",
        ratios[0],
        ratios[rounds - 1],
        envoy.log().matches("{\"jwt_rbac\":\"deny\"").count(),
    );
    if least_rate < LEAST_RATE {
        return Err(format!("{least_rate:.0} requests a second are no flood"));
    }
    Ok(median <= BOUND)
}

/// The cheapest denial: the table denies the request before a token is looked at.
fn document(log: &str) -> Value {
    json!({
        "routes": [{"name": "closed", "paths": ["/closed"], "access": "DENIED"}],
        "decisionLog": log,
    })
}

/// Floods both listeners for this time each.
fn round(envoy: &Envoy, time: Duration) -> Result<[Sum; 2], String> {
    let mut sums = [Sum::default(); 2];
    let mut order = [0, 1];
    while sums[1].lasted < time {
        for listener in order {
            flood(envoy, LISTENERS[listener], &mut sums[listener])
                .map_err(|error| format!("{}: {error}", LISTENERS[listener]))?;
        }
        order.reverse();
    }
    Ok(sums)
}

/// Sends denied requests as fast as they are answered, for one turn.
fn flood(envoy: &Envoy, listener: &str, sum: &mut Sum) -> io::Result<()> {
    let address = envoy.address(listener);
    let (start, spent_before) = (Instant::now(), envoy.cpu_time().map_err(io::Error::other)?);
    let threads: Vec<_> =
        (0..THREADS).map(|_| thread::spawn(move || send(address, start + TURN))).collect();
    for thread in threads {
        sum.requests += thread.join().expect("a thread that does not panic")?;
    }
    sum.spent += envoy.cpu_time().map_err(io::Error::other)?.saturating_sub(spent_before);
    sum.lasted += start.elapsed();
    Ok(())
}

/// Sends requests until the end of the turn; returns how many requests were denied.
fn send(address: SocketAddr, end: Instant) -> io::Result<u32> {
    let mut connections = Connections::open(address, CONNECTIONS)?;
    let request = Request::get("/closed").bytes();
    let mut count = 0;
    while Instant::now() < end {
        let denied = connections.exchange(iter::repeat_n(&request, CONNECTIONS), 403)?;
        count += u32::try_from(denied).unwrap_or(u32::MAX);
    }
    Ok(count)
}
