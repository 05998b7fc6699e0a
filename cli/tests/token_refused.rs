//! `jwt-rbac token`: everything that it can't use is named, and no key is repeated.

mod common;

use common::{failure, file, key, testdata, text};

fn refusal(arguments: &[&str], code: i32) -> String {
    failure(&[&["token"], arguments].concat(), code)
}

#[test]
fn a_command_line_that_can_not_be_right_exits_with_2() {
    let key = key("es256");
    let cases: [(&[&str], &str); 9] = [
        (&[], "required arguments were not provided: --key <FILE>"),
        (
            &["--key", &key, "--lifetime", "60"],
            "'--lifetime <DURATION>': expected a number and a unit",
        ),
        (&["--key", &key, "--lifetime", "500ms"], "expected whole seconds"),
        (&["--key", &key, "--claim", "sub"], "'--claim <NAME=VALUE>': expected NAME=VALUE"),
        (&["--key", &key, "--claim", "=user"], "expected NAME=VALUE"),
        (&["--key", &key, "--algorithm", "none"], "[possible values: RS256, RS384, RS512, PS256"),
        (&["--key", &key, "--kid", "k", "--no-kid"], "cannot be used with '--no-kid'"),
        (
            &["--key", &key, "--lifetime", "1h", "--no-expiration"],
            "cannot be used with '--no-expiration'",
        ),
        (&["--key", &key, "--claim", "exp=1", "--no-expiration"], "drop one of them"),
    ];
    for (arguments, expected) in cases {
        let message = refusal(arguments, 2);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_answered_with_those_that_do() {
    let cases = [
        ("rs256", "ES256", "RS256, RS384, RS512, PS256, PS384 or PS512"),
        ("es256", "ES384", "ES256"),
        ("es384", "ES256", "ES384"),
        ("eddsa", "RS256", "EdDSA"),
        ("es512", "ES256", "ES512"),
        ("es256", "HS256", "ES256"),
    ];
    for (name, algorithm, fitting) in cases {
        let message = refusal(&["--key", &key(name), "--algorithm", algorithm], 1);
        let expected =
            format!("which `{algorithm}` does not fit; expected `--algorithm` {fitting}");
        assert!(message.ends_with(&expected), "{message}");
    }
}

#[test]
fn files_that_can_not_be_used_are_named() {
    let es256 = key("es256");
    let public =
        file("token-public.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    let list = file("token-list.json", "[]");
    let broken = file("token-broken.json", "{\"sub\": }");
    let absent = testdata("absent");
    let cases: [(&[&str], &str, &str); 7] = [
        (&["--key", &absent], &absent, "cannot be read: No such file"),
        (&["--key", &public], &public, "holds a public key; expected a private key in PKCS#8"),
        (&["--key", &list], &list, "is not PEM; expected a private key in PKCS#8"),
        (&["--key", &es256, "--claims", &absent], &absent, "cannot be read: No such file"),
        (&["--key", &es256, "--claims", &list], &list, "holds a list; expected a JSON object"),
        (
            &["--key", &es256, "--claims", &broken],
            &broken,
            "is not JSON: expected value at line 1 column 9",
        ),
        (&["--key", &es256, "--claims", "-"], "-", "is not JSON: EOF"),
    ];
    for (arguments, path, expected) in cases {
        let message = refusal(arguments, 1);
        assert!(message.starts_with(&format!("`{path}` {expected}")), "{message}");
    }
}

#[test]
fn a_private_key_is_never_repeated() {
    let pem = std::fs::read_to_string(key("es256")).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    let absent = testdata("absent");
    let cases: [(&[&str], i32); 5] = [
        (&["--key", &pem], 2),
        (&["--key", &absent, "--claim", &pem], 2),
        (&[&pem], 2),
        (&["--key", &key("es256"), "--claims", &key("es256")], 1),
        (&["--key", &file("token-damaged.pem", &pem.replacen('M', "", 1))], 1),
    ];
    for (arguments, code) in cases {
        let message = refusal(arguments, code);
        assert!(!message.contains(secret), "{message}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_jwt-rbac"))
        .args(["token", "--key", &key("es256")])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("jwt-rbac: cannot write to standard output: "));
}
