//! Faults for the tests of what Envoy does when the VM of a worker is lost. They are in no module that
//! is released: `make build` does not have the feature.

use std::cell::Cell;
use std::hint::black_box;

use jwt_rbac_host::{HeaderLines, HeaderMap};

thread_local! {
    /// Whether the next tick traps.
    static IS_TICK_DUE: Cell<bool> = const { Cell::new(false) };
}

/// Makes the fault that a request asks for in `x-test-fault`.
pub fn at_request() {
    let headers = HeaderLines::fetch(HeaderMap::RequestHeaders).ok();
    let lines = headers.as_ref().and_then(HeaderLines::lines).unwrap_or_default();
    match lines.iter().find(|(name, _)| *name == b"x-test-fault").map(|(_, fault)| *fault) {
        Some(b"trap") => core::arch::wasm32::unreachable(),
        Some(b"memory") => use_all_memory(),
        Some(b"stack") => drop(black_box(use_all_stack(0))),
        Some(b"tick") => IS_TICK_DUE.set(true),
        _ => {}
    }
}

/// Traps if a request has asked for that.
pub fn at_tick() {
    if IS_TICK_DUE.get() {
        core::arch::wasm32::unreachable();
    }
}

/// Takes all that Envoy gives to a VM (`wasm_max_mem_pages`).
fn use_all_memory() {
    loop {
        std::mem::forget(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

#[allow(unconditional_recursion, reason = "the stack is to end")]
fn use_all_stack(depth: u64) -> u64 {
    let frame = black_box([depth; 512]);
    use_all_stack(depth.wrapping_add(1)).wrapping_add(frame.iter().sum())
}
