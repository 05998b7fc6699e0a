//! Feeds [`jwt_rbac_oracles::fetched`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwt_rbac_oracles::fetched::check(input));
