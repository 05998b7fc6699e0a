//! A token whose signature is good: the first line of the input is its header, the rest its payload.

use jsonwebtoken::Algorithm;

use crate::independent;
use crate::token;

/// Fails if this header and payload are accepted and should not be.
pub fn check(input: &[u8]) {
    let end = input.iter().position(|&byte| byte == b'\n').unwrap_or(input.len());
    let header = &input[..end];
    let payload = input.get(end + 1..).unwrap_or_default();
    let names = |name: &[u8]| header.windows(name.len()).any(|window| window == name);
    let algorithm = match () {
        () if names(b"HS256") => Algorithm::HS256,
        () if names(b"HS384") => Algorithm::HS384,
        () => Algorithm::HS512,
    };
    let signed = format!("{}.{}", independent::encode(header), independent::encode(payload));
    let signature = independent::sign(signed.as_bytes(), algorithm);
    token::check(format!("{signed}.{signature}").as_bytes());
}
