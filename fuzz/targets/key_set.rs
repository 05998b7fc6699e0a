//! Feeds [`jwt_rbac_oracles::key_set`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwt_rbac_oracles::key_set::check(input));
