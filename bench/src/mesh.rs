//! How often the workers of a whole mesh ask an issuer for its keys: thousands of the filter's own state
//! machines ([`Refresh`]), each with a clock that jumps from one of their due times to the next.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jwt_rbac::authn::key_source::Timing;
use jwt_rbac::authn::refresh::Refresh;

/// How many proxies there are.
pub const SIDECARS: usize = 10_000;
/// How many workers a proxy has: Istio's sidecars have two unless told otherwise.
pub const WORKERS: usize = 2;
/// The interval and the timeout where a document does not say, in milliseconds.
const TIMING: Timing = Timing { interval: 20 * MINUTE, timeout: 5_000, stale_if_error: None };
const MINUTE: u64 = 60_000;
/// How long an answer takes.
const LATENCY: u64 = 50;
/// By then nothing is left of the order in which the workers of a mesh were started.
const SETTLED: u64 = 180 * MINUTE;
/// How long is looked at, from the event on.
const OBSERVED: u64 = 60 * MINUTE;

/// What happens to the mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing.
    None,
    /// The issuer signs with a new key, and every worker has a token of it at once.
    Rotation,
    /// The issuer fails for ten minutes.
    Outage,
    /// All proxies start within this time, in milliseconds.
    Restart(u64),
}

/// Requests that the issuer gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// On average in a second.
    pub mean: f64,
    /// In the second with the most.
    pub peak: usize,
}

/// The scenarios of the documentation, by name.
pub const SCENARIOS: [(&str, Event); 5] = [
    ("steady state", Event::None),
    ("a new key, which every worker sees at once", Event::Rotation),
    ("the issuer fails for ten minutes", Event::Outage),
    ("all proxies start within ten minutes", Event::Restart(10 * MINUTE)),
    ("all proxies start within one second", Event::Restart(1_000)),
];

struct Mesh {
    workers: Vec<Refresh>,
    /// When each of them has something to do; what is no longer true is found out then.
    due: BinaryHeap<Reverse<(u64, usize)>>,
    random: Random,
    /// The issuer fails in this time.
    outage: std::ops::Range<u64>,
    /// When each request came.
    requests: Vec<u64>,
}

impl Mesh {
    fn start(within: u64) -> Self {
        let mut mesh = Self {
            workers: Vec::new(),
            due: BinaryHeap::new(),
            random: Random(1),
            outage: 0..0,
            requests: Vec::new(),
        };
        for _ in 0..SIDECARS {
            let start = mesh.random.below(within);
            // The VM of the main thread fetches once and then has no requests.
            for number in 0..=WORKERS {
                let mut worker = Refresh::new(start);
                if number > 0 {
                    worker.need(TIMING, start);
                }
                mesh.workers.push(worker);
                mesh.plan(mesh.workers.len() - 1, start);
            }
        }
        mesh
    }

    fn plan(&mut self, worker: usize, now: u64) {
        if let Some(due) = self.workers[worker].due(TIMING, now) {
            self.due.push(Reverse((due, worker)));
        }
    }

    /// Lets time pass until then.
    fn run(&mut self, end: u64) {
        while let Some(Reverse((now, number))) = self.due.peek().copied().filter(|it| it.0.0 < end)
        {
            self.due.pop();
            let worker = &mut self.workers[number];
            if !worker.is_due(TIMING, now) {
                continue;
            }
            worker.start(now);
            self.requests.push(now);
            if self.outage.contains(&now) {
                worker.fail(TIMING, now + LATENCY, self.random.next());
            } else {
                worker.succeed(TIMING, now + LATENCY, None, self.random.next());
            }
            self.plan(number, now + LATENCY);
        }
    }

    /// Every worker that has requests gets a token of a key that it does not know.
    fn rotate(&mut self, now: u64) {
        for number in (0..self.workers.len()).filter(|number| number % (WORKERS + 1) > 0) {
            let random = self.random.next();
            self.workers[number].miss_key(TIMING, now, random);
            self.plan(number, now);
        }
    }
}

/// What an issuer gets in the hour from an event on.
pub fn load(event: Event) -> Load {
    let (mut mesh, from) = match event {
        Event::Restart(within) => (Mesh::start(within), 0),
        Event::None | Event::Rotation | Event::Outage => (Mesh::start(TIMING.interval), SETTLED),
    };
    mesh.run(from);
    match event {
        Event::None | Event::Restart(_) => {}
        Event::Rotation => mesh.rotate(from),
        Event::Outage => mesh.outage = from..from + 10 * MINUTE,
    }
    mesh.run(from + OBSERVED);
    let mut seconds = vec![0_usize; usize::try_from(OBSERVED / 1_000).expect("an hour")];
    for at in mesh.requests.iter().filter_map(|at| at.checked_sub(from)) {
        seconds[usize::try_from(at / 1_000).expect("an hour")] += 1;
    }
    let sum: usize = seconds.iter().sum();
    let peak = seconds.iter().copied().max().unwrap_or_default();
    Load { mean: as_f64(sum) / as_f64(seconds.len()), peak }
}

/// The table of the documentation.
pub fn table() -> String {
    let mean = load(Event::None).mean;
    let row = |(name, event): (&str, Event)| {
        let Load { mean: own, peak } = load(event);
        format!("| {name} | {own:.0} | {peak} | {:.1} |\n", as_f64(peak) / mean)
    };
    let rows: String = SCENARIOS.map(row).concat();
    format!(
        "| what happens | requests a second in the hour after it | in its busiest second | times the mean of the steady state |\n\
         |---|---|---|---|\n{rows}"
    )
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_f64(number: usize) -> f64 {
    number as f64
}

/// The same numbers in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jwt_rbac_e2e::artifacts;

    use super::*;

    #[test]
    fn no_wave_is_ten_times_the_steady_state() {
        let steady = load(Event::None);
        let expected = as_f64(SIDECARS * WORKERS) / (0.875 * 1_200.0);
        assert!((steady.mean / expected - 1.0).abs() < 0.02, "{steady:?}, expected {expected}");
        for event in [Event::None, Event::Rotation] {
            let load = load(event);
            assert!(as_f64(load.peak) < 10.0 * steady.mean, "{event:?}: {load:?}");
        }
    }

    #[test]
    fn the_table_of_the_documentation_is_what_comes_out() {
        let page = fs::read_to_string(artifacts::root().join("docs/operations.md")).unwrap();
        let table = table();
        assert!(page.contains(&table), "docs/operations.md lacks\n{table}");
    }
}
