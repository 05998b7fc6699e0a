//! The seeds of the fuzz targets, and every input that was found with them, hold.

#![allow(clippy::panic, reason = "a panic fails a test")]

use std::fs;
use std::path::Path;

#[test]
fn every_seed_holds() {
    for (name, check) in jwt_rbac_oracles::ALL {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
        let entries = fs::read_dir(&directory);
        let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        let mut count = 0;
        for entry in entries {
            let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
            let seed =
                fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            println!("{}", path.display());
            check(&seed);
            count += 1;
        }
        assert!(count > 0, "{} has no seeds", directory.display());
    }
}

/// Somebody who adds a target adds it everywhere.
#[test]
fn every_oracle_has_a_target() {
    for (name, _) in jwt_rbac_oracles::ALL {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../targets/{name}.rs"));
        assert!(target.is_file(), "{} is not there", target.display());
    }
}
