//! Where the files are that the suites need: the built module, the test keys, the callers and the
//! Envoy binary.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Map, Value};

/// The root of the repository.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package is in the workspace").to_path_buf()
}

/// A file below `testdata/`.
pub fn testdata(path: &str) -> PathBuf {
    root().join("testdata").join(path)
}

/// The module under test: `$JWT_RBAC_WASM`, else [`built_module`].
///
/// # Errors
///
/// When the file is not there.
pub fn wasm() -> Result<PathBuf, String> {
    env::var_os("JWT_RBAC_WASM").map_or_else(built_module, |path| existing(PathBuf::from(path)))
}

/// The module where `make build` puts it.
///
/// # Errors
///
/// When the file is not there.
pub fn built_module() -> Result<PathBuf, String> {
    existing(root().join("target/jwt_rbac.wasm"))
}

fn existing(module: PathBuf) -> Result<PathBuf, String> {
    if module.is_file() {
        return Ok(module);
    }
    Err(format!("{} is not there: run `make build` first", module.display()))
}

/// The Envoy binary: `$ENVOY`, else the answer of `e2e/envoy.sh`. It is asked once, because it may
/// install one.
///
/// # Errors
///
/// When there is no Envoy. A test fails then; it does not skip.
pub fn envoy() -> Result<PathBuf, String> {
    static ENVOY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    ENVOY.get_or_init(find_envoy).clone()
}

fn find_envoy() -> Result<PathBuf, String> {
    if let Some(path) = env::var_os("ENVOY").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let output = Command::new(root().join("e2e/envoy.sh"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("e2e/envoy.sh could not be run: {error}"))?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !path.is_empty() {
        return Ok(PathBuf::from(path));
    }
    Err("no Envoy: set ENVOY to the path of a binary, or see above what e2e/envoy.sh says".into())
}

/// The version of that Envoy.
///
/// # Panics
///
/// When there is none, or it does not say.
pub fn envoy_version() -> [u32; 3] {
    static VERSION: OnceLock<[u32; 3]> = OnceLock::new();
    *VERSION.get_or_init(|| {
        let binary = envoy().unwrap_or_else(|error| panic!("{error}"));
        let output = Command::new(&binary).arg("--version").output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        // <path of the binary>  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.split(" version: ").nth(1).and_then(|text| text.split('/').nth(1));
        let numbers = version.map(|version| {
            version.split(['.', '-']).filter_map(|number| number.parse().ok()).collect::<Vec<_>>()
        });
        numbers
            .and_then(|numbers| numbers.get(..3)?.try_into().ok())
            .unwrap_or_else(|| panic!("no version in: {text}"))
    })
}

/// The text of the key set that most documents of the tests trust.
pub fn jwks() -> String {
    key_set("jwks.json")
}

/// The text of a key set of `testdata`.
pub fn key_set(file: &str) -> String {
    text(&testdata(file))
}

/// The text of a file of `testdata/keys`.
pub fn key_file(name: &str) -> String {
    text(&testdata("keys").join(name))
}

/// Whether `testdata/callers` has this caller.
pub fn is_caller(name: &str) -> bool {
    testdata(&format!("callers/{name}.json")).is_file()
}

/// The claims of a caller of `testdata/callers`, without `iat` and `exp`.
pub fn caller(name: &str) -> Map<String, Value> {
    let path = testdata(&format!("callers/{name}.json"));
    serde_json::from_str(&text(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
