//! The progress that the programs print, and where they write their pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jwt_rbac_e2e::artifacts;

/// How long a program measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// How many rounds.
    pub rounds: usize,
    /// How many seconds each run of a round takes.
    pub seconds: u32,
}

impl Length {
    /// Where the pages go: into `docs/`, or into `target/bench` when there are fewer or shorter
    /// runs than usual, as while somebody changes the program.
    pub fn directory(self, usual: Self) -> PathBuf {
        let Self { rounds, seconds } = usual;
        if self.rounds >= rounds && self.seconds >= seconds {
            return artifacts::root().join("docs");
        }
        println!(
            "Less than {rounds} rounds of {seconds} seconds: the pages go to target/bench, not docs."
        );
        artifacts::root().join("target/bench")
    }
}

/// How much has been measured so far.
#[derive(Debug)]
pub struct Progress {
    count: usize,
    rounds: usize,
    done: usize,
}

impl Progress {
    /// The start of a measurement of this many listeners and rounds.
    pub fn new(count: usize, rounds: usize) -> Self {
        Self { count, rounds, done: 0 }
    }

    /// Prints the result of one run, and how long the rest will take.
    pub fn show(&mut self, name: &str, cost: f64, rest: Duration) {
        let (round, place) = (self.done / self.count + 1, self.done % self.count + 1);
        self.done += 1;
        println!(
            "round {round} of {}, {place:2} of {}: {cost:8.1} µs/request, {name}; {}:{:02} min left",
            self.rounds,
            self.count,
            rest.as_secs() / 60,
            rest.as_secs() % 60,
        );
    }
}

/// Writes a page or a plot.
///
/// # Errors
///
/// Those of the file system.
pub fn write(directory: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = directory.join(name);
    let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, text));
    written.map_err(|error| format!("{}: {error}", path.display()))?;
    println!("written: {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_usual_does_not_replace_a_page() {
        let usual = Length { rounds: 7, seconds: 5 };
        let is_page = |rounds, seconds| {
            Length { rounds, seconds }.directory(usual) == artifacts::root().join("docs")
        };
        assert!(is_page(7, 5) && is_page(8, 6));
        assert!(!is_page(6, 5) && !is_page(7, 4));
    }
}
