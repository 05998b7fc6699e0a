//! `make run`: Bookinfo on this machine. Starts Envoy on `testdata/envoy.yaml`, mints a token for
//! each caller, shows who may do what, and stays up for more requests until Ctrl-C.
//!
//! Its page is behind the filter too, with an issuer that signs everybody in.
//!
//! With `--free-ports` it takes free ports, with `--once` also, and ends after the table. The exit
//! code is 1 when an answer is not the expected one.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::{Request, Response};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::issuer;

/// A service of Bookinfo: its name, its port in `testdata/envoy.yaml`, and a page of it.
struct Service {
    name: &'static str,
    port: u16,
    page: &'static str,
}

const SERVICES: [Service; 3] = [
    Service { name: "productpage", port: 9080, page: "/productpage" },
    Service { name: "details", port: 9081, page: "/details/0" },
    Service { name: "reviews", port: 9082, page: "/reviews/0" },
];

const ADMIN_PORT: u16 = 9901;

/// The port of the issuer in `testdata/envoy.yaml`.
const ISSUER_PORT: u16 = 9083;

/// Every caller and the status of its answer from each service.
const CALLERS: [(&str, [u16; 3]); 4] = [
    ("anonymous", [200, 403, 403]),
    ("user", [200, 200, 403]),
    ("moderator", [200, 200, 200]),
    ("expired", [401, 401, 401]),
];

fn main() -> ExitCode {
    let has = |wanted: &str| env::args().skip(1).any(|argument| argument == wanted);
    match run(has("--once"), has("--free-ports")) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("bookinfo: the answers are not the expected ones");
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("bookinfo: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every answer was the expected one.
fn run(once: bool, free_ports: bool) -> Result<bool, String> {
    let name = match (once, free_ports) {
        (true, _) => "target/bookinfo-once",
        (false, true) => "target/bookinfo-page",
        (false, false) => "target/bookinfo",
    };
    let directory = artifacts::root().join(name);
    fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
    let ports = if once || free_ports { Ports::free()? } else { Ports::fixed()? };
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.of(ISSUER_PORT)));
    issuer::serve(socket.map_err(|error| format!("the issuer has no port: {error}"))?);
    let mut envoy = start(&directory, &ports)?;
    write_tokens(&directory).map_err(|error| format!("a token can't be written: {error}"))?;
    let as_expected = show_matrix(&directory, &ports)?;
    if once {
        return Ok(as_expected);
    }
    println!("The page: http://127.0.0.1:{}/productpage\n", ports.of(SERVICES[0].port));
    show_commands();
    let status = envoy.wait().map_err(|error| error.to_string())?;
    println!("Envoy ended with {status}; its log is target/bookinfo/envoy.log");
    Ok(as_expected)
}

/// The port to use in place of each that `testdata/envoy.yaml` names.
struct Ports(BTreeMap<u16, u16>);

impl Ports {
    fn named() -> impl Iterator<Item = u16> {
        SERVICES.iter().map(|service| service.port).chain([ADMIN_PORT, ISSUER_PORT])
    }

    /// The ports that the file names, if they are free.
    fn fixed() -> Result<Self, String> {
        for port in Self::named() {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
                format!("port {port} is taken ({error}); end what listens there: lsof -i :{port}")
            })?;
        }
        Ok(Self(Self::named().map(|port| (port, port)).collect()))
    }

    /// Free ports, so that a `make run` in another terminal is not in the way.
    fn free() -> Result<Self, String> {
        let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listeners: Vec<_> =
            Self::named().map(bind).collect::<Result<_, _>>().map_err(|it| it.to_string())?;
        let free = listeners.iter().map(|listener| listener.local_addr().map(|it| it.port()));
        let free: Vec<_> = free.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        Ok(Self(Self::named().zip(free).collect()))
    }

    fn of(&self, named: u16) -> u16 {
        self.0[&named]
    }

    /// A configuration with these ports.
    fn put_into(&self, config: &str) -> String {
        self.0.iter().fold(config.to_owned(), |config, (named, used)| {
            config.replace(&format!("port_value: {named}"), &format!("port_value: {used}"))
        })
    }
}

fn start(directory: &Path, ports: &Ports) -> Result<Envoy, String> {
    artifacts::built_module()?;
    let binary = artifacts::envoy()?;
    println!("Envoy: {}", binary.display());
    println!("its configuration: testdata/envoy.yaml, its log: {}", directory.display());
    println!("starting …");
    let root = artifacts::root();
    let text = fs::read_to_string(root.join("testdata/envoy.yaml")).map_err(|it| it.to_string())?;
    let config = directory.join("envoy.yaml");
    fs::write(&config, ports.put_into(&text)).map_err(|error| error.to_string())?;
    let mut envoy = Envoy::on_file(&binary, &config, &root, directory.to_path_buf())
        .map_err(|error| format!("{} could not be started: {error}", binary.display()))?;
    envoy.wait_until_ready(|waited| println!("  not ready after {waited:.1?}"))?;
    println!("ready\n");
    Ok(envoy)
}

/// A token for each caller but the anonymous one.
fn write_tokens(directory: &Path) -> std::io::Result<()> {
    for (caller, _) in CALLERS {
        if let Some(token) = issuer::token_of(caller) {
            fs::write(token_file(directory, caller), token)?;
        }
    }
    Ok(())
}

fn token_file(directory: &Path, caller: &str) -> PathBuf {
    directory.join(format!("{caller}.jwt"))
}

/// Prints who may do what. Returns whether it is as expected.
fn show_matrix(directory: &Path, ports: &Ports) -> Result<bool, String> {
    let mut as_expected = true;
    let mut line = format!("{:<12}", "caller");
    for service in &SERVICES {
        line.push_str(&column(service.page));
    }
    println!("{}", line.trim_end());
    for (caller, statuses) in CALLERS {
        let token = fs::read_to_string(token_file(directory, caller)).ok();
        let mut line = format!("{caller:<12}");
        for (service, expected) in SERVICES.iter().zip(statuses) {
            let response = call(service, ports, token.as_deref())
                .map_err(|error| format!("{} does not answer: {error}", service.name))?;
            let mut cell = response.status.to_string();
            if response.status != 200 {
                cell = format!("{cell} {}", response.text());
            }
            if response.status != expected {
                as_expected = false;
                cell = format!("{cell} (expected {expected})");
            }
            line.push_str(&column(&cell));
        }
        println!("{}", line.trim_end());
    }
    println!();
    Ok(as_expected)
}

fn column(text: &str) -> String {
    format!("{text:<26}")
}

fn call(service: &Service, ports: &Ports, token: Option<&str>) -> std::io::Result<Response> {
    let request = Request::get(service.page);
    let request = match token {
        Some(token) => request.bearer(token),
        None => request,
    };
    request.send(SocketAddr::from((Ipv4Addr::LOCALHOST, ports.of(service.port))))
}

fn show_commands() {
    println!("Try it from the root of the repository (the tokens are good for an hour):\n");
    for service in &SERVICES {
        let url = format!("http://127.0.0.1:{}{}", service.port, service.page);
        println!("curl -i {url}");
        for (caller, _) in CALLERS.iter().filter(|(caller, _)| *caller != "anonymous") {
            let token = format!("$(cat target/bookinfo/{caller}.jwt)");
            println!("curl -i -H \"Authorization: Bearer {token}\" {url}");
        }
    }
    println!("\nEnvoy's admin interface: http://127.0.0.1:{ADMIN_PORT}");
    println!("Ctrl-C ends it.");
}
