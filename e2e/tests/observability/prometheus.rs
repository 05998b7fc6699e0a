//! A Prometheus on loopback (Debian's package `prometheus`), and what it answers to queries.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::temporary::TemporaryDirectory;
use serde_json::{Value, json};

/// How long it may take to start.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where something is scraped, and the labels `app` and `pod` that it gets, as in Kubernetes.
pub struct Target {
    pub address: SocketAddr,
    pub app: &'static str,
    pub pod: String,
}

/// A running Prometheus, killed when its owner is dropped.
pub struct Prometheus {
    process: Child,
    address: SocketAddr,
    directory: TemporaryDirectory,
}

/// One series of an answer.
pub struct Series {
    labels: Value,
    /// Seconds since 1970, and values.
    pub points: Vec<(f64, f64)>,
}

impl Series {
    /// How Grafana calls it: `{{label}}` becomes the value of a label.
    pub fn name(&self, legend: &str) -> String {
        let labels = self.labels.as_object().into_iter().flatten();
        labels.fold(legend.to_owned(), |name, (label, value)| {
            name.replace(&format!("{{{{{label}}}}}"), value.as_str().unwrap_or_default())
        })
    }
}

impl Prometheus {
    /// Starts one that scrapes these every second, and evaluates these rules.
    pub fn start(targets: &[Target], rules: &Path) -> Self {
        let directory = TemporaryDirectory::create().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let address = free.expect("a free port");
        let target = |target: &Target| {
            json!({
                "targets": [target.address.to_string()],
                "labels": {"namespace": "shop", "app": target.app, "pod": target.pod},
            })
        };
        // JSON is YAML.
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [rules],
            "scrape_configs": [{
                "job_name": "envoy",
                "metrics_path": "/stats/prometheus",
                "static_configs": targets.iter().map(target).collect::<Vec<_>>(),
            }],
        });
        let file = directory.path().join("prometheus.yaml");
        fs::write(&file, config.to_string()).expect("its configuration can be written");
        let log = File::create(directory.path().join("log")).expect("its log can be written");
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus starts; Debian has a package of this name");
        let prometheus = Self { process, address, directory };
        let end = Instant::now() + TIMEOUT;
        let is_ready = || {
            let answer = Request::get("/-/ready").send(address);
            answer.is_ok_and(|answer| answer.status == 200)
        };
        while !is_ready() {
            assert!(Instant::now() < end, "Prometheus does not start:\n{}", prometheus.log());
            thread::sleep(Duration::from_millis(50));
        }
        prometheus
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Its time, in seconds since 1970.
    pub fn now(&self) -> f64 {
        let answer = self.ask("/api/v1/query?query=time()");
        answer["result"][1].as_str().and_then(|time| time.parse().ok()).expect("a time")
    }

    /// What it answers for each second of this time.
    pub fn query_range(&self, query: &str, start: f64, end: f64) -> Vec<Series> {
        let query =
            query.bytes().fold(String::new(), |query, byte| query + &format!("%{byte:02X}"));
        let target = format!("/api/v1/query_range?query={query}&start={start}&end={end}&step=1");
        let answer = self.ask(&target);
        let point = |point: &Value| {
            let value = point[1].as_str()?.parse::<f64>().ok().filter(|value| value.is_finite())?;
            Some((point[0].as_f64()?, value))
        };
        let series = |series: &Value| Series {
            labels: series["metric"].clone(),
            points: series["values"].as_array().into_iter().flatten().filter_map(point).collect(),
        };
        answer["result"].as_array().into_iter().flatten().map(series).collect()
    }

    /// The rules that could not be evaluated.
    pub fn unhealthy_rules(&self) -> Vec<String> {
        let answer = self.ask("/api/v1/rules");
        let groups = answer["groups"].as_array().expect("groups");
        let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
        let rules: Vec<_> = rules.collect();
        assert!(!rules.is_empty(), "no rules are loaded");
        rules.iter().filter(|rule| rule["health"] != "ok").map(ToString::to_string).collect()
    }

    fn ask(&self, target: &str) -> Value {
        let answer = Request::get(target).send(self.address).expect("Prometheus answers");
        let body: Value = serde_json::from_str(&answer.text()).expect("JSON");
        assert_eq!(body["status"], "success", "{target}: {body}");
        body["data"].clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
