//! One listener measured, and all of them in turn, round after round.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::callers::Callers;
use super::listeners;
use super::pinned;
use super::suite::{CacheUse, Measured, Suite};
use super::wrk::{Load, Outcome, Wrk};
use jwt_rbac_e2e::client;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::temporary::TemporaryDirectory;

/// How many connections keep Envoy busy.
pub const CONNECTIONS: u32 = 16;

/// The Envoy, the load and what is to be measured.
#[derive(Debug)]
pub struct Bench<'p> {
    suite: &'p Suite,
    envoy: Envoy,
    wrk: Wrk,
    /// The tokens that are sent.
    pub tokens: &'p TokenFiles,
    /// The place of the next token, for each listener. A run goes on where the last one stopped: if
    /// it started again, it would send tokens that the cache still has.
    next: Vec<usize>,
    /// What the cache has counted up to now.
    cache: CacheCounters,
}

/// The files of tokens of all callers.
#[derive(Debug)]
pub struct TokenFiles {
    files: BTreeMap<Callers, (PathBuf, usize)>,
    _directory: TemporaryDirectory,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// CPU time of the Envoy process for each request, in microseconds.
    pub cost: f64,
    /// The part of the time in which Envoy had the CPU, from 0 to 1.
    pub busy: f64,
    /// What `wrk` saw.
    pub outcome: Outcome,
}

/// The results of all rounds.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// The costs of each listener, by round, in microseconds for a request.
    pub costs: Vec<Vec<f64>>,
    /// The smallest part of any run in which Envoy had the CPU, from 0 to 1.
    pub least_busy: f64,
}

impl TokenFiles {
    /// Mints the tokens of a suite; `progress` is told whose.
    ///
    /// # Errors
    ///
    /// When they can't be written.
    pub fn mint(suite: &Suite, mut progress: impl FnMut(Callers)) -> Result<Self, String> {
        let directory = TemporaryDirectory::create().expect("a folder");
        let mut files = BTreeMap::new();
        let callers: BTreeSet<Callers> = suite.measured.iter().map(|it| it.callers).collect();
        for callers in callers {
            progress(callers);
            let file = callers.write(directory.path()).map_err(|error| error.to_string())?;
            files.insert(callers, file);
        }
        Ok(Self { files, _directory: directory })
    }

    /// The mean size of a token of callers of the suite, in bytes.
    pub fn size(&self, callers: Callers) -> usize {
        self.files[&callers].1
    }
}

impl<'p> Bench<'p> {
    /// Starts Envoy with a listener for everything that is measured, and asks each of them once.
    ///
    /// # Errors
    ///
    /// When Envoy does not start, or a listener answers otherwise than it should.
    pub fn start(
        binary: &Path,
        module: &Path,
        suite: &'p Suite,
        tokens: &'p TokenFiles,
        (envoy_cpu, wrk_cpu): (usize, usize),
    ) -> Result<Self, String> {
        let wrk = Wrk::on_cpu(wrk_cpu)?;
        let chains = suite.measured.iter().map(|it| (it.listener(), &it.chain));
        let bootstrap = listeners::bootstrap(chains, module)?;
        let envoy = pinned::start(binary, &bootstrap, envoy_cpu)?;
        let count = suite.measured.len();
        let cache = CacheCounters::default();
        let mut bench = Self { suite, envoy, wrk, tokens, next: vec![0; count], cache };
        (0..count).try_for_each(|target| bench.probe(target))?;
        bench.cache = bench.cache_counters();
        Ok(bench)
    }

    /// The version of its Envoy.
    pub fn envoy_version(&self) -> String {
        let info = self.envoy.admin("/server_info");
        let info: serde_json::Value = serde_json::from_str(&info).unwrap_or_default();
        // `<commit>/1.40.0/Clean/RELEASE/BoringSSL`
        let version = info["version"].as_str().and_then(|version| version.split('/').nth(1));
        version.unwrap_or("of an unknown version").to_owned()
    }

    /// How much memory Envoy has, in bytes.
    pub fn resident_memory(&self) -> u64 {
        self.envoy.resident_memory()
    }

    /// Measures everything this many times, after a short run of each that fills caches and lets V8
    /// compile. After each run `progress` is told the name of the listener, the cost of a request
    /// in microseconds, and how long the rest will take.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn rounds(
        &mut self,
        rounds: usize,
        seconds: u32,
        mut progress: impl FnMut(&str, f64, Duration),
    ) -> Result<Results, String> {
        let count = self.suite.measured.len();
        let mut results = Results { costs: vec![Vec::new(); count], least_busy: 1.0 };
        for target in 0..count {
            // This fills the cache, so that its first misses are not counted.
            self.send(target, CONNECTIONS, 1)?;
        }
        self.cache = self.cache_counters();
        let start = Instant::now();
        let mut done = 0;
        for round in 0..rounds {
            // Each round starts with another listener, so that none always follows the same one.
            for place in 0..count {
                let target = (place + round * count / rounds) % count;
                let sample = self.run(target, CONNECTIONS, seconds)?;
                results.costs[target].push(sample.cost);
                results.least_busy = results.least_busy.min(sample.busy);
                done += 1;
                let rest = start.elapsed().mul_f64(ratio(rounds * count - done, done));
                progress(&self.suite.measured[target].name, sample.cost, rest);
            }
        }
        Ok(results)
    }

    /// Measures one listener.
    ///
    /// # Errors
    ///
    /// When sockets fail, an answer has another status, or the cache was not used as expected.
    pub fn run(&mut self, target: usize, connections: u32, seconds: u32) -> Result<Sample, String> {
        let measured = &self.suite.measured[target];
        // Reading the counters takes CPU time, so they are read outside of what is timed.
        let answers = self.answers(measured);
        let cpu_time = self.envoy.cpu_time()?;
        let outcome = self.send(target, connections, seconds)?;
        let cpu_time = self.envoy.cpu_time()?.saturating_sub(cpu_time);
        let answers = self.answers(measured).since(answers);
        self.probe(target)?;
        let cache = self.cache_counters();
        let before = std::mem::replace(&mut self.cache, cache);
        check(measured, answers, cache.since(before))
            .map_err(|error| format!("{}: {error}", measured.name))?;
        let cpu_time = cpu_time.as_secs_f64() * 1e6;
        let answers = u32::try_from(answers.wanted).unwrap_or(u32::MAX);
        Ok(Sample {
            cost: cpu_time / f64::from(answers),
            busy: cpu_time / f64::from(outcome.microseconds),
            outcome,
        })
    }

    fn send(&mut self, target: usize, connections: u32, seconds: u32) -> Result<Outcome, String> {
        let measured = &self.suite.measured[target];
        let load = Load {
            path: measured.path.clone(),
            tokens: self.tokens.files[&measured.callers].0.clone(),
            count: measured.tokens,
            connections,
            seconds,
        };
        let address = self.envoy.address(&measured.listener());
        let outcome = self.wrk.send(address, &load, self.next[target])?;
        self.next[target] = outcome.next;
        if outcome.errors > 0 || outcome.requests == 0 {
            return Err(format!("{}: sockets failed or timed out: {outcome:?}", measured.name));
        }
        let refused = if measured.status < 400 { 0 } else { outcome.requests };
        if outcome.refused != refused {
            return Err(format!("{}: not all {}: {outcome:?}", measured.name, measured.status));
        }
        Ok(outcome)
    }

    /// Sends one request and compares its status, because the counters only know classes such as
    /// 2xx.
    fn probe(&mut self, target: usize) -> Result<(), String> {
        let measured = &self.suite.measured[target];
        let file = &self.tokens.files[&measured.callers].0;
        let tokens = fs::read_to_string(file).map_err(|error| error.to_string())?;
        let token = tokens.lines().nth(self.next[target]).unwrap_or_default();
        self.next[target] = (self.next[target] + 1) % measured.tokens;
        let mut request = client::Request::get(&measured.path);
        if !token.is_empty() {
            request = request.bearer(token);
        }
        let address = self.envoy.address(&measured.listener());
        let answer = request.send(address).map_err(|error| error.to_string())?;
        if answer.status == measured.status {
            return Ok(());
        }
        let (name, text) = (&measured.name, answer.text());
        Err(format!("{name} answered {} {text}, not {}", answer.status, measured.status))
    }

    fn answers(&self, measured: &Measured) -> Answers {
        let listener = measured.listener();
        let class = |class: u16| format!("http.{listener}.downstream_rq_{class}xx");
        let classes = [1, 2, 3, 4, 5].map(class);
        let answers = self.envoy.stats(classes.each_ref().map(String::as_str));
        let wanted = answers[usize::from(measured.status / 100 - 1)];
        Answers { wanted, others: answers.iter().sum::<u64>() - wanted }
    }

    fn cache_counters(&self) -> CacheCounters {
        let names = ["wasmcustom.jwt_rbac_cache_hits", "wasmcustom.jwt_rbac_cache_misses"];
        let [hits, misses] = self.envoy.stats(names);
        CacheCounters { hits, misses }
    }
}

/// How many answers of a listener Envoy has counted.
#[derive(Clone, Copy, Debug)]
struct Answers {
    /// With a status of the class that is wanted.
    wanted: u64,
    /// With any other.
    others: u64,
}

impl Answers {
    fn since(self, before: Self) -> Self {
        Self { wanted: self.wanted - before.wanted, others: self.others - before.others }
    }
}

/// What our cache has counted. It is counted for all listeners together, but only one is asked at a
/// time.
#[derive(Clone, Copy, Debug, Default)]
struct CacheCounters {
    hits: u64,
    misses: u64,
}

impl CacheCounters {
    fn since(self, before: Self) -> Self {
        Self { hits: self.hits - before.hits, misses: self.misses - before.misses }
    }
}

fn check(measured: &Measured, answers: Answers, cache: CacheCounters) -> Result<(), String> {
    if answers.wanted == 0 || answers.others > 0 {
        return Err(format!("not all answers are {}: {answers:?}", measured.status));
    }
    let asked = cache.hits + cache.misses;
    let is_right = match measured.cache {
        CacheUse::Unused => asked == 0,
        CacheUse::NoHits => cache.hits == 0,
        CacheUse::Misses => cache.hits == 0 && asked >= answers.wanted,
        CacheUse::Hits => cache.hits * 1000 >= answers.wanted * 999,
    };
    let wanted = measured.cache;
    is_right
        .then_some(())
        .ok_or_else(|| format!("expected {wanted:?} of the cache, found {cache:?}"))
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |count| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole)
}
