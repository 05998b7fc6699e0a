//! Feeds [`jwt_rbac_oracles::policies`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| jwt_rbac_oracles::policies::check(input));
