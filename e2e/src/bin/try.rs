//! `make try`: your own routes on this machine. Checks the document, starts Envoy with the filter
//! and the document in front of a workload that tells what reached it, and stays up until Ctrl-C.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use jwt_rbac::authn::signature::rustcrypto::RustCrypto;
use jwt_rbac_config::PLACEHOLDER;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::{address, bootstrap};
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::upstream::Upstream;
use serde_json::Value;

const USAGE: &str = "usage: try FILE [--port PORT]\nFILE: a pluginConfig alone, or manifests, of which the first \
                     WasmPlugin or TrafficExtension counts";

fn main() -> ExitCode {
    match arguments().and_then(|(file, port)| run(&file, port)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("try: {message}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<(String, u16), String> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [file] => Ok(((*file).to_owned(), 9080)),
        [file, "--port", port] => {
            let port = port.parse().map_err(|_| format!("`{port}` is no port\n{USAGE}"))?;
            Ok(((*file).to_owned(), port))
        }
        _ => Err(USAGE.to_owned()),
    }
}

fn run(file: &str, port: u16) -> Result<(), String> {
    let document = read_document(Path::new(file))?;
    check(file, &document)?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| format!("port {port} is taken: {error}"))?;
    let binary = artifacts::envoy()?;
    println!("Envoy: {}", binary.display());
    println!("starting …");
    let upstream = Upstream::start();
    let filter = filters::jwt_rbac("try", &document, &artifacts::built_module()?);
    let mut listener = listener("try", &[filter]);
    listener["address"] = address("127.0.0.1", port);
    let bootstrap = bootstrap(upstream.address, &[listener], None);
    let mut envoy = Envoy::start(&binary, &bootstrap)?;
    println!("ready: http://127.0.0.1:{port} answers with what reached the workload\n");
    println!("A token (`--claim`, `--permission` and others add to it, see `token --help`):");
    println!(
        "  cargo run -q -p jwt-rbac-cli -- token --key testdata/keys/rs256.pem \\\n    \
         --claims testdata/callers/user.json > token.jwt"
    );
    println!("A request:");
    println!("  curl -i -H \"Authorization: Bearer $(cat token.jwt)\" http://127.0.0.1:{port}/\n");
    println!("Ctrl-C ends it.");
    let status = envoy.wait().map_err(|error| error.to_string())?;
    println!("Envoy ended with {status}");
    Ok(())
}

/// The `pluginConfig` of a file, with the test keys where the manifests have their placeholder.
fn read_document(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut resources: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    let places = ["/spec/pluginConfig", "/spec/wasm/pluginConfig"];
    let plugin = resources.iter_mut().find_map(|resource| {
        let document = places.iter().find_map(|place| resource.pointer_mut(place).map(Value::take));
        Some((resource["metadata"]["name"].as_str().unwrap_or_default().to_owned(), document?))
    });
    let mut document = match plugin {
        Some((name, document)) => {
            println!("{}: {name}", file.display());
            document
        }
        None => resources.into_iter().next().unwrap_or_default(),
    };
    let rules = document.get_mut("jwtRules").and_then(Value::as_array_mut);
    for rule in rules.into_iter().flatten() {
        if rule["jwks"] == PLACEHOLDER {
            rule["jwks"] = artifacts::jwks().into();
            println!("{}: testdata/jwks.json is used in place of your key set", file.display());
        }
    }
    Ok(document)
}

/// Checks the document before Envoy gets it.
fn check(file: &str, document: &Value) -> Result<(), String> {
    let problems = match jwt_rbac_config::compile(document.to_string().as_bytes(), &mut RustCrypto)
    {
        Ok((_, problems)) => {
            println!("{file}: the document is good");
            problems
        }
        Err(problems) => problems,
    };
    for warning in &problems.warnings {
        println!("warning: {warning}");
    }
    match problems.errors.len() {
        0 => Ok(()),
        count => {
            let list: Vec<_> = problems.errors.iter().map(ToString::to_string).collect();
            Err(format!("{file} is refused ({count}):\n  {}", list.join("\n  ")))
        }
    }
}
