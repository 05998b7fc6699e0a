//! What the module costs a proxy before the first request: its size, the memory of Envoy, and the CPU
//! time until Envoy is ready. Every sidecar of a mesh pays them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use jwt_rbac_e2e::artifacts;
use jwt_rbac_e2e::bootstrap::bootstrap;
use jwt_rbac_e2e::envoy::Envoy;
use jwt_rbac_e2e::{filters, listener};
use serde_json::Value;

use super::policy;
use super::result;
use super::suite::ROUTES;

/// How often each Envoy is started. CPU time depends on what else the machine does, so the smallest
/// of several is nearest to what the module takes. Memory hardly varies.
const STARTS: usize = 9;
/// The targets for the memory of one plugin on one worker, in MiB: what must hold, and the goal.
const MEMORY: (f64, f64) = (48.0, 40.0);
/// Those for its CPU time, in seconds.
const CPU: (f64, f64) = (0.9, 0.5);
/// Those for the size of the module, in KiB.
const SIZE: (f64, f64) = (800.0, 600.0);

/// What plugins add to an Envoy that has the same listeners without them.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many plugins, each with a document of its own.
    pub plugins: usize,
    /// How many workers Envoy has.
    pub workers: usize,
    /// Resident memory, in MiB.
    pub memory: f64,
    /// CPU time until Envoy is ready, in seconds.
    pub cpu: f64,
}

/// Measures one and three plugins on one and two workers; `progress` is called after each.
///
/// # Errors
///
/// When Envoy does not start.
pub fn measure(
    binary: &Path,
    module: &Path,
    mut progress: impl FnMut(&Load),
) -> Result<Vec<Load>, String> {
    let mut loads = Vec::new();
    for (plugins, workers) in [(1, 1), (3, 1), (1, 2), (3, 2)] {
        let (mut with, mut without) = (Started::WORST, Started::WORST);
        for _ in 0..STARTS {
            without = without.least(start(binary, None, plugins, workers)?);
            with = with.least(start(binary, Some(module), plugins, workers)?);
        }
        let load = Load {
            plugins,
            workers,
            memory: with.memory - without.memory,
            cpu: with.cpu.saturating_sub(without.cpu).as_secs_f64(),
        };
        progress(&load);
        loads.push(load);
    }
    Ok(loads)
}

/// The table of what was measured, with the targets.
pub fn table(loads: &[Load], module_size: u64) -> String {
    let head = "| case | ours | must | goal | verdict |\n|---|---|---|---|---|\n";
    head.to_owned() + &rows(loads, module_size)
}

fn rows(loads: &[Load], module_size: u64) -> String {
    let mut rows = String::new();
    let mut row = |case: &str, value: f64, unit: &str, target: Option<(f64, f64)>| {
        let decimals = if unit == "s" { 2 } else { 0 };
        let shown = |value: f64| format!("{value:.decimals$} {unit}");
        let (must, goal) = (target.map(|it| it.0), target.map(|it| it.1));
        let verdict =
            target.map_or_else(String::new, |_| result::verdict(value, must, goal, shown));
        let bound =
            |bound: Option<f64>| bound.map_or_else(String::new, |it| format!("≤ {}", shown(it)));
        let _ = writeln!(
            rows,
            "| {case} | {} | {} | {} | {verdict} |",
            shown(value),
            bound(must),
            bound(goal)
        );
    };
    // A module of more than 4 GiB is beyond any target.
    let size = f64::from(u32::try_from(module_size).unwrap_or(u32::MAX)) / 1024.0;
    row("size of `jwt_rbac.wasm`", size, "KiB", Some(SIZE));
    for load in loads {
        let is_target = (load.plugins, load.workers) == (1, 1);
        let of = format!("{} and {}", count(load.plugins, "plugin"), count(load.workers, "worker"));
        let target = |target| is_target.then_some(target);
        row(&format!("memory over plain, {of}"), load.memory, "MiB", target(MEMORY));
        row(&format!("CPU to load, {of}"), load.cpu, "s", target(CPU));
    }
    rows
}

fn count(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// What one start of Envoy took.
#[derive(Clone, Copy)]
struct Started {
    memory: f64,
    cpu: Duration,
}

impl Started {
    const WORST: Self = Self { memory: f64::INFINITY, cpu: Duration::MAX };

    fn least(self, other: Self) -> Self {
        Self { memory: self.memory.min(other.memory), cpu: self.cpu.min(other.cpu) }
    }
}

fn start(
    binary: &Path,
    module: Option<&Path>,
    plugins: usize,
    workers: usize,
) -> Result<Started, String> {
    let keys = artifacts::jwks();
    let listeners: Vec<Value> = (0..plugins)
        .map(|number| {
            let name = format!("plugin-{number}");
            let document = policy::document(ROUTES + number, &keys);
            let filters = module.map(|module| filters::jwt_rbac(&name, &document, module));
            listener::listener(&name, &filters.into_iter().collect::<Vec<_>>())
        })
        .collect();
    // No request is sent, so nothing has to listen there.
    let nowhere = ([127, 0, 0, 1], 9).into();
    let envoy = Envoy::start_with_workers(binary, &bootstrap(nowhere, &listeners, None), workers)?;
    let memory = envoy.resident_memory();
    let mebibytes = f64::from(u32::try_from(memory >> 10).unwrap_or(u32::MAX)) / 1024.0;
    Ok(Started { memory: mebibytes, cpu: envoy.cpu_time()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plugin_on_one_worker_has_targets() {
        let load = |plugins, memory, cpu| Load { plugins, workers: 1, memory, cpu };
        let rows = rows(&[load(1, 47.6, 1.0), load(3, 60.0, 1.2)], 700 << 10);
        let lines: Vec<_> = rows.lines().collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].starts_with("| size of `jwt_rbac.wasm` | 700 KiB | ≤ 800 KiB |"));
        assert!(
            lines[1]
                .starts_with("| memory over plain, 1 plugin and 1 worker | 48 MiB | ≤ 48 MiB |")
        );
        assert!(lines[2].starts_with("| CPU to load, 1 plugin and 1 worker | 1.00 s | ≤ 0.90 s |"));
        assert_eq!(lines[3], "| memory over plain, 3 plugins and 1 worker | 60 MiB |  |  |  |");
    }
}
