//! The examples of the RFCs: signatures of RFC 7515 appendix A, RFC 7520 §4 (keys: §3) and RFC 8037
//! appendix A.4.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Expected, Vector};

/// One example.
struct Example {
    /// The RFC and the section.
    name: &'static str,
    algorithm: &'static str,
    jwk: Value,
    /// The parts of the token.
    parts: [&'static str; 3],
}

impl Example {
    fn token(&self) -> String {
        self.parts.join(".")
    }
}

/// All of them as vectors.
pub fn all() -> Vec<Vector> {
    examples().iter().map(vector).collect()
}

/// The signatures of ECDSA with the second number longer or shorter by a zero. It is the same number,
/// but RFC 7518 §3.4 has it in the full size of the field; Wycheproof has no such vector.
pub fn resized() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for example in all().into_iter().filter(|example| example.algorithm.starts_with("ES")) {
        let half = example.signature.len() / 2;
        let mut longer = example.clone();
        longer.signature.insert(half, 0);
        vectors.push(longer);
        if example.signature[half] == 0 {
            let mut shorter = example;
            shorter.signature.remove(half);
            vectors.push(shorter);
        }
    }
    for vector in &mut vectors {
        vector.name = format!("{}, {} bytes", vector.name, vector.signature.len());
        vector.expected = Expected::Refused;
    }
    vectors
}

/// Those whose payload is an object, as whole tokens, each with its key.
pub fn tokens() -> Vec<(Value, String)> {
    let of_claims = |example: &&Example| example.parts[1] == JOE;
    examples().iter().filter(of_claims).map(|found| (found.jwk.clone(), found.token())).collect()
}

fn vector(example: &Example) -> Vector {
    let mut jwk = example.jwk.clone();
    jwk["alg"] = example.algorithm.into();
    let [header, payload, signature] = example.parts;
    Vector {
        name: example.name.to_owned(),
        jwk,
        algorithm: example.algorithm,
        signed: format!("{header}.{payload}").into_bytes(),
        signature: URL_SAFE_NO_PAD.decode(signature).expect("the RFC has base64url"),
        expected: Expected::Verified,
    }
}

fn examples() -> Vec<Example> {
    [of_rfc_7515(), of_rfc_7520(), of_rfc_8037()].into_iter().flatten().collect()
}

fn of_rfc_7515() -> Vec<Example> {
    vec![
        Example {
            name: "RFC-7515 A.1",
            algorithm: "HS256",
            jwk: json!({
                "kty": "oct",
                "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAz\
                    Zr1Z9CAow",
            }),
            parts: [
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
                JOE,
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ],
        },
        Example {
            name: "RFC-7515 A.2",
            algorithm: "RS256",
            jwk: rsa_key_of_7515(),
            parts: [
                "eyJhbGciOiJSUzI1NiJ9",
                JOE,
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5Y\
                Kt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xB\
                ArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6Bf\
                I7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_Ioyp\
                GlUPQGe77Rw",
            ],
        },
        Example {
            name: "RFC-7515 A.3",
            algorithm: "ES256",
            jwk: json!({
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            }),
            parts: [
                "eyJhbGciOiJFUzI1NiJ9",
                JOE,
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6\
                NU1Q",
            ],
        },
        Example {
            name: "RFC-7515 A.4",
            algorithm: "ES512",
            jwk: json!({
                "kty": "EC",
                "crv": "P-521",
                "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4q\
                    UxcWceqwQGk",
                "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ub\
                    mf63e3kyMj2",
            }),
            parts: [
                "eyJhbGciOiJFUzUxMiJ9",
                "UGF5bG9hZA",
                "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0a\
                w_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXuk\
                OXolLzeO_Jn",
            ],
        },
    ]
}

fn of_rfc_7520() -> Vec<Example> {
    vec![
        Example {
            name: "RFC-7520 4.1",
            algorithm: "RS256",
            jwk: rsa_key_of_7520(),
            parts: [
                "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
                FRODO,
                "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx99\
                6ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BN\
                t1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluP\
                xUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjb\
                U5y18kDquDg",
            ],
        },
        Example {
            name: "RFC-7520 4.2",
            algorithm: "PS384",
            jwk: rsa_key_of_7520(),
            parts: [
                "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
                FRODO,
                "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqD\
                qHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEg\
                VFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT\
                0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo\
                8DYM-X72Eaw",
            ],
        },
        Example {
            name: "RFC-7520 4.3",
            algorithm: "ES512",
            jwk: json!({
                "kty": "EC",
                "kid": "bilbo.baggins@hobbiton.example",
                "use": "sig",
                "crv": "P-521",
                "x": "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyR\
                    XYgCF5cj0Kt",
                "y": "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cw\
                    lGfP-HqHZR1",
            }),
            parts: [
                "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
                FRODO,
                "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2\
                cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDq\
                oRuBomu9xQ2",
            ],
        },
        Example {
            name: "RFC-7520 4.4",
            algorithm: "HS256",
            jwk: json!({
                "kty": "oct",
                "kid": "018c0ae5-4d9b-471b-bfd6-eef314bc7037",
                "use": "sig",
                "alg": "HS256",
                "k": "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg",
            }),
            parts: [
                "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9",
                FRODO,
                "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
            ],
        },
    ]
}

fn of_rfc_8037() -> Vec<Example> {
    vec![Example {
        name: "RFC-8037 A.4",
        algorithm: "EdDSA",
        jwk: json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }),
        parts: [
            "eyJhbGciOiJFZERTQSJ9",
            "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM\
                0KAg",
        ],
    }]
}

fn rsa_key_of_7515() -> Value {
    json!({"kty": "RSA", "e": "AQAB", "n": N_OF_7515})
}

fn rsa_key_of_7520() -> Value {
    json!({
        "kty": "RSA",
        "kid": "bilbo.baggins@hobbiton.example",
        "use": "sig",
        "e": "AQAB",
        "n": N_OF_7520,
    })
}

/// The claims of the examples in RFC 7515.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// The text that RFC 7520 signs.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250by\
    B0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUge\
    W91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

const N_OF_7515: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4\
    QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbB\
    YUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWN\
    moudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

const N_OF_7520: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCp\
    MaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1\
    E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2\
    BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
