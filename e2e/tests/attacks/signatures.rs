//! Signatures that nobody has made with a private key.

use jwt_rbac_e2e::tokens::Recipe;
use num_bigint::BigUint;
use serde_json::json;

use crate::attack::Attack;
use crate::documents::{ALL_KEYS, LOW_EXPONENT};
use crate::forge;

const PSYCHIC: &str = "CVE-2022-21449: ECDSA values that are zero or out of range";
const ENCODING: &str = "RFC 7518 §3.4: the encoding of an ECDSA signature";
const LENGTH: &str = "CVE-2020-28042: the length of a signature";
const LOW: &str = "CVE-2006-4339: RSA with a low exponent, garbage behind the hash";
const RSA_RANGE: &str = "RFC 8017 §5.2.2: RSA signatures out of range";
const SMALL_ORDER: &str = "RFC 8032 §5.1.7: Ed25519 points of small order, scalars out of range";
const REVOKED: &str = "OWASP JWT cheat sheet: a revoked token in another spelling";

/// The orders of P-256, P-384 and P-521 (NIST SP 800-186 §3.2.1).
const CURVES: [(&str, &str, usize, &str); 3] = [
    ("ES256", "es256", 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    (
        "ES384",
        "es384",
        48,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
         581a0db248b0a77aecec196accc52973",
    ),
    (
        "ES512",
        "es512",
        66,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
         ffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
    ),
];

/// Points of small order of edwards25519, and encodings of points that are not the only ones.
const POINTS: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];
/// The order of the base point of edwards25519, least byte first (RFC 8032 §5.1).
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

pub fn attacks() -> Vec<Attack> {
    let groups = [ecdsa(), ed25519(), rsa(), low_exponent(), respelled()];
    groups.into_iter().flatten().collect()
}

fn ecdsa() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (algorithm, key, size, order) in CURVES {
        let order = BigUint::parse_bytes(order.as_bytes(), 16).expect("hexadecimal");
        let good = signature(key);
        let halves = [&good[..size], &good[size..]].map(BigUint::from_bytes_be);
        let most = (BigUint::from(1_u8) << (size * 8)) - 1_u8;
        let named = |good: &BigUint| {
            [
                ("0", BigUint::from(0_u8)),
                ("1", 1_u8.into()),
                ("n-1", &order - 1_u8),
                ("n", order.clone()),
                ("n+1", &order + 1_u8),
                ("the most", most.clone()),
                ("honest", good.clone()),
            ]
        };
        for (r_name, r) in named(&halves[0]) {
            for (s_name, s) in named(&halves[1]) {
                if (r_name, s_name) == ("honest", "honest") {
                    continue;
                }
                let signature = [fixed(&r, size), fixed(&s, size)].concat();
                let name = format!("{algorithm}: r is {r_name}, s is {s_name}");
                attacks.push(forged(name, PSYCHIC, key, algorithm, &signature));
            }
        }
        for length in [0, 1, size, size + 1, 2 * size - 1, 2 * size + 1, 2 * size + 2, 4 * size] {
            let mut signature = good.clone();
            signature.resize(length, 0);
            let name = format!("{algorithm}: {length} bytes");
            attacks.push(forged(name, LENGTH, key, algorithm, &signature));
        }
        for tamper in ["der-signature", "padded-signature", "zero-signature", "swapped-signature"] {
            // `der-signature` knows lengths of one byte only.
            if tamper == "der-signature" && algorithm == "ES512" {
                continue;
            }
            let recipe = Recipe { tamper: Some(tamper.to_owned()), ..forge::by_key(key, &[]) };
            let name = format!("{algorithm}: {tamper}");
            attacks.push(Attack::token(name, ENCODING, &recipe.mint()).on(ALL_KEYS));
        }
    }
    attacks
}

fn ed25519() -> Vec<Attack> {
    let good = signature("eddsa");
    let (honest_point, honest_scalar) = good.split_at(32);
    let order = hexadecimal(ED25519_ORDER);
    let sum = BigUint::from_bytes_le(honest_scalar) + BigUint::from_bytes_le(&order);
    let mut sum = sum.to_bytes_le();
    sum.resize(32, 0);
    let zero = vec![0; 32];
    let scalars = [
        ("0", zero.clone()),
        ("1", [vec![1], vec![0; 31]].concat()),
        ("the order", order),
        ("the honest one and the order", sum.clone()),
        ("the most", vec![0xff; 32]),
        ("honest", honest_scalar.to_vec()),
    ];
    let mut attacks = Vec::new();
    for point in POINTS {
        for (what, scalar) in &scalars {
            let signature = [hexadecimal(point), scalar.clone()].concat();
            let name = format!("EdDSA: R is {point}, S is {what}");
            attacks.push(forged(name, SMALL_ORDER, "eddsa", "EdDSA", &signature));
        }
    }
    for (what, scalar) in &scalars[..5] {
        let signature = [honest_point.to_vec(), scalar.clone()].concat();
        let name = format!("EdDSA: R is honest, S is {what}");
        attacks.push(forged(name, SMALL_ORDER, "eddsa", "EdDSA", &signature));
    }
    for length in [0, 1, 32, 63, 65, 128] {
        let mut signature = good.clone();
        signature.resize(length, 0);
        let name = format!("EdDSA: {length} bytes");
        attacks.push(forged(name, LENGTH, "eddsa", "EdDSA", &signature));
    }
    attacks
}

fn rsa() -> Vec<Attack> {
    let modulus = forge::decode(&forge::member("jwks.json", "RSA", "n"));
    let number = BigUint::from_bytes_be(&modulus);
    let good = BigUint::from_bytes_be(&signature("rs256"));
    let rows = [
        ("0", vec![0; 256]),
        ("1", fixed(&1_u8.into(), 256)),
        ("n-1", fixed(&(&number - 1_u8), 256)),
        ("n", modulus),
        ("n+1", fixed(&(&number + 1_u8), 256)),
        ("the most", vec![0xff; 256]),
        ("n less the honest one", fixed(&(&number - &good), 256)),
        ("the honest one and n", (&good + &number).to_bytes_be()),
        ("the honest one behind a zero", [vec![0], fixed(&good, 256)].concat()),
        ("the honest one and a zero", [fixed(&good, 256), vec![0]].concat()),
        ("the honest one without its last byte", fixed(&good, 256)[..255].to_vec()),
        ("the honest one twice", [fixed(&good, 256), fixed(&good, 256)].concat()),
        ("a padded block that nobody has signed", block(&[0xff; 202])),
        ("two thousand zeros", vec![0; 2_000]),
    ];
    let named = |(name, signature): &(&str, Vec<u8>)| {
        forged(format!("RS256: the signature is {name}"), RSA_RANGE, "rs256", "RS256", signature)
    };
    rows.iter().map(named).collect()
}

/// Blocks whose cube root is easy, because the check would have to ignore what is behind the hash.
fn low_exponent() -> Vec<Attack> {
    let header = json!({"alg": "RS256", "kid": "low"}).to_string();
    let mut attacks = Vec::new();
    for padding in [0, 1, 8, 16, 32, 64] {
        let token = forge::token(&header, |signed| {
            let hash = forge::sha256(signed);
            forge::cube_root(
                &[&[0, 1][..], &vec![0xff; padding], &[0], DIGEST_INFO, &hash].concat(),
            )
        });
        let name = format!("a cube root, {padding} bytes of padding");
        attacks.push(Attack::token(name, LOW, &token).on(LOW_EXPONENT));
    }
    for (name, start) in
        [("no hash", &[0, 1, 0xff, 0][..]), ("nothing", &[0, 1]), ("a type 2", &[0, 2])]
    {
        let token = forge::with_signature(&header, &forge::cube_root(start));
        attacks
            .push(Attack::token(format!("a cube root with {name}"), LOW, &token).on(LOW_EXPONENT));
    }
    for (name, number) in [("0", 0_u8), ("1", 1), ("2", 2)] {
        let token = forge::with_signature(&header, &fixed(&number.into(), 256));
        attacks.push(Attack::token(format!("the signature {name}"), LOW, &token).on(LOW_EXPONENT));
    }
    attacks
}

/// ECDSA lets everybody make a second signature of a first one, (r, n − s). The token stays revoked.
fn respelled() -> Vec<Attack> {
    let (_, _, size, order) = CURVES[0];
    let order = BigUint::parse_bytes(order.as_bytes(), 16).expect("hexadecimal");
    let token = forge::by_key("es256", &[]).claim("jti", "stolen".into()).mint();
    let (signed, signature) = token.rsplit_once('.').expect("a token has dots");
    let mut signature = forge::decode(signature);
    let other = order - BigUint::from_bytes_be(&signature[size..]);
    signature.truncate(size);
    signature.extend(fixed(&other, size));
    let respelled = format!("{signed}.{}", forge::encode(&signature));
    vec![
        Attack::token("a revoked token", REVOKED, &token),
        Attack::token("a revoked token as (r, n − s)", REVOKED, &respelled),
    ]
}

/// The DER of `DigestInfo` for SHA-256, up to the hash (RFC 8017 §9.2).
const DIGEST_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// A block of PKCS #1 as it must look after the check has raised the signature.
fn block(padding: &[u8]) -> Vec<u8> {
    [&[0, 1][..], padding, &[0], DIGEST_INFO, &[0x55; 32]].concat()
}

/// The admin's token by a key, with another signature.
fn forged(
    name: String,
    source: &'static str,
    key: &str,
    algorithm: &str,
    signature: &[u8],
) -> Attack {
    let id = forge::by_key(key, &[]).mint();
    let header = id.split('.').next().expect("a token has a header");
    let header = String::from_utf8(forge::decode(header)).expect("JSON is UTF-8");
    assert!(header.contains(algorithm), "{header}");
    Attack::token(name, source, &forge::with_signature(&header, signature)).on(ALL_KEYS)
}

/// An honest signature, of another token than the one it will be put on.
fn signature(key: &str) -> Vec<u8> {
    let token = forge::by_key(key, &[]).claim("sub", "another".into()).mint();
    forge::decode(token.rsplit('.').next().expect("a token has a signature"))
}

/// A number in this many bytes.
fn fixed(number: &BigUint, size: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let missing = size.checked_sub(bytes.len()).expect("the number fits");
    [vec![0; missing], bytes].concat()
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let byte = |start| u8::from_str_radix(&text[start..start + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}
