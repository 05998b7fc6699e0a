//! The image: what Istio's agent makes of it is the module, and Envoy runs what came out. The tests that
//! need other programs are for `make test-image`.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::filters;
use jwt_rbac_e2e::listener::listener;
use jwt_rbac_e2e::temporary::TemporaryDirectory;
use jwt_rbac_e2e::tokens::Recipe;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[test]
fn istio_finds_the_module_in_the_image() {
    let layout = artifacts::root().join("target/image");
    let read = |path: &str| {
        let path = layout.join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; make image", path.display()))
    };
    let index: Value = json_of(&read("index.json"));
    let [descriptor] = index["manifests"].as_array().expect("manifests").as_slice() else {
        panic!("one manifest: {index}");
    };
    let blob = |digest: &str| read(&format!("blobs/{}", digest.replace(':', "/")));
    let module = unpack(text(&descriptor["digest"]), blob);
    let built =
        artifacts::built_module().and_then(|path| fs::read(path).map_err(|it| it.to_string()));
    assert!(module == built.unwrap(), "target/image is of another module: make image");
    assert_decides(&module);
}

/// What is pushed comes back by the digest that `make push` prints.
#[test]
#[ignore = "needs docker-registry and skopeo: make test-image"]
fn a_registry_gives_back_what_was_pushed() {
    let registry = Registry::start();
    let output = Command::new("make")
        .args(["--no-print-directory", "push", &format!("REGISTRY={}/team", registry.address)])
        .current_dir(artifacts::root())
        .output()
        .expect("make runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let field = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name}: {said}"))
    };
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(field("url"), format!("oci://{}/team/jwt-rbac:{version}", registry.address));
    let manifest = format!("sha256:{}", field("sha256"));
    let by_tag = registry.get(&format!("manifests/{version}"));
    assert_eq!(sha256(&by_tag), manifest, "the tag is of the image that was printed");
    let module = unpack(&manifest, |digest| {
        let kind = if digest == manifest { "manifests" } else { "blobs" };
        registry.get(&format!("{kind}/{digest}"))
    });
    assert_decides(&module);
}

/// Docker's own builder is not at hand everywhere; buildah reads the same Dockerfile and needs no daemon.
#[test]
#[ignore = "needs buildah: make test-image"]
fn the_dockerfile_gives_the_same_layer() {
    let directory = TemporaryDirectory::create().expect("a folder");
    let storage = directory.path().join("storage");
    let buildah = |arguments: &[&str]| {
        let output = Command::new("buildah")
            .args(["--storage-driver", "vfs"])
            .arg("--root")
            .arg(&storage)
            .arg("--runroot")
            .arg(directory.path().join("run"))
            .args(arguments)
            .current_dir(artifacts::root())
            .output()
            .expect("buildah runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    buildah(&["bud", "--tag", "jwt-rbac", "."]);
    let layout = directory.path().join("image");
    buildah(&["push", "jwt-rbac", &format!("oci:{}", layout.display())]);
    let read = |path: &str| fs::read(layout.join(path)).expect("a file of the layout");
    let index = json_of(&read("index.json"));
    let blob = |digest: &str| read(&format!("blobs/{}", digest.replace(':', "/")));
    let module = unpack(text(&index["manifests"][0]["digest"]), blob);
    assert!(module == fs::read(artifacts::built_module().unwrap()).unwrap());
}

/// The module of an image, as Istio's agent takes it out (`pkg/wasm/imagefetcher.go`): the file
/// `plugin.wasm` of the last layer, which is a compressed archive. Every part must have its digest.
fn unpack(digest: &str, blob: impl Fn(&str) -> Vec<u8>) -> Vec<u8> {
    let checked = |digest: &str| {
        let bytes = blob(digest);
        assert_eq!(sha256(&bytes), digest);
        bytes
    };
    let manifest = json_of(&checked(digest));
    assert_eq!(manifest["mediaType"], MANIFEST, "{manifest}");
    let layers = manifest["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 1, "{manifest}");
    assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    checked(text(&manifest["config"]["digest"]));
    let layer = checked(text(&layers[0]["digest"]));
    let mut archive = tar::Archive::new(GzDecoder::new(layer.as_slice()));
    let mut module = None;
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").into_owned();
        if path.file_name().is_some_and(|name| name == "plugin.wasm") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("a whole entry");
            module = Some(bytes);
        }
    }
    let module = module.expect("plugin.wasm");
    assert!(module.starts_with(b"\0asm"));
    module
}

/// Envoy runs these bytes, and they decide.
fn assert_decides(module: &[u8]) {
    let directory = TemporaryDirectory::create().expect("a folder");
    let file = directory.path().join("plugin.wasm");
    fs::write(&file, module).expect("a file");
    let document = json!({
        "jwtRules": [{
            "issuer": "https://tenant.auth0.com/",
            "audiences": ["https://bookinfo.io"],
            "jwks": artifacts::jwks(),
        }],
        "routes": [{"paths": ["/members"], "access": "AUTHENTICATED"}],
    });
    let filter = filters::jwt_rbac("ours", &document, &file);
    let envoy = Envoy::before_upstream(&[listener("ours", &[filter])], None);
    let token = Recipe::of_caller("user").mint();
    assert_eq!(envoy.answer("ours", &Request::get("/members").bearer(&token)).status, 200);
    assert_eq!(envoy.answer("ours", &Request::get("/members")).status, 403);
}

/// Debian's docker-registry on a free port.
struct Registry {
    process: Child,
    address: SocketAddr,
    _directory: TemporaryDirectory,
}

impl Registry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let directory = TemporaryDirectory::create().expect("a folder");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(config(directory.path(), address))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry runs (Debian: apt-get install docker-registry)");
        let registry = Self { process, address, _directory: directory };
        let start = Instant::now();
        while Request::get("/v2/").send(address).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "the registry does not answer");
            thread::sleep(Duration::from_millis(50));
        }
        registry
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let request = Request::get(&format!("/v2/team/jwt-rbac/{path}")).header("accept", MANIFEST);
        let response = request.send(self.address).expect("the registry answers");
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        response.body
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config(directory: &Path, address: SocketAddr) -> PathBuf {
    let storage = directory.join("storage").display().to_string();
    let config = json!({
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": storage}},
        "http": {"addr": address.to_string()},
    });
    let path = directory.join("registry.json");
    fs::write(&path, config.to_string()).expect("a file");
    path
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
