//! The built module as a host sees it: what it asks for, what it offers, how large it is.

use std::collections::BTreeSet;
use std::fs;

use jwt_rbac_e2e::artifacts;
use wasmparser::{Parser, Payload};

/// V8 compiles the whole module when it is loaded, so its size is the time that a proxy waits.
const MAX_SIZE: usize = 800 << 10;
/// Envoy keeps the memory that V8 takes to compile the largest function (docs/costs.md), so that one large
/// function costs more than many small ones.
const MAX_FUNCTION_SIZE: u64 = 16 << 10;

/// What Envoy 1.36 offers as `wasi_snapshot_preview1` (proxy-wasm-cpp-host,
/// `FOR_ALL_WASI_FUNCTIONS`). A module with any other import does not load.
const WASI: &str = "args_get args_sizes_get clock_time_get environ_get environ_sizes_get fd_close \
    fd_fdstat_get fd_fdstat_set_flags fd_prestat_dir_name fd_prestat_get fd_read fd_seek fd_write \
    path_open poll_oneoff proc_exit random_get sched_yield";

/// What it offers as `env` to a module of ABI 0.2.1 (`include/proxy-wasm/exports.h`,
/// `FOR_ALL_HOST_FUNCTIONS` and `WasmBase::registerCallbacks`), each with `proxy_` before it.
const PROXY: &str = "add_header_map_value call_foreign_function close_stream continue_stream \
    define_metric dequeue_shared_queue done enqueue_shared_queue get_buffer_bytes \
    get_buffer_status get_current_time_nanoseconds get_header_map_pairs get_header_map_size \
    get_header_map_value get_log_level get_metric get_property get_shared_data get_status \
    grpc_call grpc_cancel grpc_close grpc_send grpc_stream http_call increment_metric log \
    record_metric register_shared_queue remove_header_map_value replace_header_map_value \
    resolve_shared_queue send_local_response set_buffer_bytes set_effective_context \
    set_header_map_pairs set_property set_shared_data set_tick_period_milliseconds";

#[test]
fn envoy_1_36_has_every_import() {
    let (imports, offered) = (imports(), offered());
    let missing: Vec<_> = imports.difference(&offered).collect();
    assert!(missing.is_empty(), "no such function in Envoy 1.36: {missing:?}");
}

#[test]
fn the_module_is_one_of_proxy_wasm() {
    let exports = exports();
    for name in ["proxy_abi_version_0_2_1", "_initialize", "proxy_on_memory_allocate"] {
        assert!(exports.contains(name), "{name} is not exported");
    }
    let versions = exports.iter().filter(|name| name.starts_with("proxy_abi_version_"));
    assert_eq!(versions.count(), 1, "a module has one version of the ABI");
}

#[test]
fn the_module_is_small() {
    let size = module().len();
    println!("{size} bytes");
    assert!(size <= MAX_SIZE, "{size} bytes, at most {MAX_SIZE} are allowed");
}

#[test]
fn no_function_is_large() {
    let module = module();
    let bodies = Parser::new(0).parse_all(&module).filter_map(|payload| {
        match payload.expect("the module is well-formed") {
            Payload::CodeSectionEntry(body) => Some(body.range().end - body.range().start),
            _ => None,
        }
    });
    let largest = bodies.max().expect("a module has functions");
    println!("{largest} bytes");
    assert!(
        largest <= MAX_FUNCTION_SIZE,
        "{largest} bytes; `#[inline(never)]` keeps functions apart that are called once"
    );
}

fn module() -> Vec<u8> {
    let path = artifacts::wasm().unwrap();
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn offered() -> BTreeSet<String> {
    let wasi = WASI.split_whitespace().map(|name| format!("wasi_snapshot_preview1.{name}"));
    let proxy = PROXY.split_whitespace().map(|name| format!("env.proxy_{name}"));
    wasi.chain(proxy).collect()
}

fn imports() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module()) {
        if let Payload::ImportSection(section) = payload.expect("the module is well-formed") {
            for import in section.into_imports() {
                let import = import.expect("an import");
                names.insert(format!("{}.{}", import.module, import.name));
            }
        }
    }
    assert!(!names.is_empty(), "a filter that calls nothing can do nothing");
    names
}

fn exports() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module()) {
        if let Payload::ExportSection(section) = payload.expect("the module is well-formed") {
            names.extend(
                section.into_iter().map(|export| export.expect("an export").name.to_owned()),
            );
        }
    }
    names
}
