//! `jwt-rbac completions` and `jwt-rbac man` know every subcommand.

mod common;

use std::fs;
use std::path::Path;

use common::stdout;

const COMMANDS: [&str; 10] =
    ["check", "explain", "test", "try", "migrate", "decode", "token", "jwks", "completions", "man"];

#[test]
fn every_shell_completes_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        for command in COMMANDS {
            assert!(script.contains(command), "{shell} does not complete {command}");
        }
        assert!(script.contains("deny-warnings"), "{shell} does not complete options");
    }
}

#[test]
fn every_command_has_a_page() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("man");
    stdout(&["man", folder.to_str().unwrap()]);
    for command in COMMANDS {
        let page = fs::read_to_string(folder.join(format!("jwt-rbac-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
    assert!(folder.join("jwt-rbac.1").is_file());
}
