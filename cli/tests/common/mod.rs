//! What the tests of all subcommands share: running the binary, and its key files.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs `jwt-rbac` with an empty standard input.
pub fn run<Argument: AsRef<str>>(arguments: &[Argument]) -> Output {
    run_with_input(arguments, "")
}

/// Runs `jwt-rbac` with `input` on standard input.
pub fn run_with_input<Argument: AsRef<str>>(arguments: &[Argument], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_jwt-rbac"))
        .args(arguments.iter().map(AsRef::as_ref))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command line that is refused closes the pipe before it is read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a run that must succeed prints.
pub fn stdout<Argument: AsRef<str>>(arguments: &[Argument]) -> String {
    let output = run(arguments);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    text(&output.stdout)
}

/// The message of a run that must fail with `code`: one line on stderr, nothing on stdout.
pub fn failure<Argument: AsRef<str>>(arguments: &[Argument], code: i32) -> String {
    let output = run(arguments);
    assert_eq!(text(&output.stdout), "");
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    let line = message.strip_prefix("jwt-rbac: ").and_then(|line| line.strip_suffix('\n'));
    let line = line.unwrap_or_else(|| panic!("{message}"));
    assert!(!line.contains('\n'), "{message}");
    line.to_owned()
}

/// `bytes` as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file of `testdata/`, which all packages share.
pub fn testdata(name: &str) -> String {
    path(&[env!("CARGO_MANIFEST_DIR"), "..", "testdata", name])
}

/// A private key of `testdata/`.
pub fn key(name: &str) -> String {
    testdata(&format!("keys/{name}.pem"))
}

/// A new file with `contents`.
pub fn file(name: &str, contents: &str) -> String {
    let path = path(&[env!("CARGO_TARGET_TMPDIR"), name]);
    fs::write(&path, contents).unwrap();
    path
}

fn path(parts: &[&str]) -> String {
    parts.iter().collect::<PathBuf>().to_str().unwrap().to_owned()
}
