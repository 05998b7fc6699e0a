//! Feeds [`jwt_rbac_oracles::signed_token`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwt_rbac_oracles::signed_token::check(input));
