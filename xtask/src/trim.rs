//! Removes what the filter does not need from the linked module: V8 compiles the whole of it when it is loaded
//! (docs/costs.md).

mod same;
mod unreachable;

use std::collections::BTreeSet;

use walrus::{Module, passes};

/// What the filter exports. The SDK also exports every other callback of the ABI, with a body that
/// does nothing, and Envoy enters the VM for each one that is exported: four more times for each
/// request (`Context::onResponseHeaders` and its like, proxy-wasm-cpp-host `src/context.cc`).
const EXPORTS: &[&str] = &[
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// The longest name of a function. Every sidecar loads the names.
const MAX_NAME: usize = 60;

/// The module without the exports that the filter does not use, without functions that are never called or
/// there twice, and without what only they need. Functions get readable names, for the traces that
/// Envoy prints.
///
/// # Errors
/// The names of the exports that the filter needs and the module lacks, and of functions that should be
/// there.
pub fn trim(mut module: Module) -> Result<Vec<u8>, String> {
    let exports: Vec<_> =
        module.exports.iter().map(|export| (export.id(), export.name.clone())).collect();
    let found: BTreeSet<_> = exports.iter().map(|(_, name)| name.as_str()).collect();
    let missing: Vec<_> = EXPORTS.iter().filter(|name| !found.contains(**name)).copied().collect();
    if !missing.is_empty() {
        return Err(format!("expected the exports {}", missing.join(", ")));
    }
    for (id, _) in exports.iter().filter(|(_, name)| !EXPORTS.contains(&name.as_str())) {
        module.exports.delete(*id);
    }
    unreachable::cut(&mut module)?;
    passes::gc::run(&mut module);
    let mut module = same::merge(module)?;
    for function in module.funcs.iter_mut() {
        // `{:#}` leaves out the hash at the end.
        let name =
            function.name.as_ref().map(|name| format!("{:#}", rustc_demangle::demangle(name)));
        function.name = name.map(|name| short(&name).chars().take(MAX_NAME).collect());
    }
    Ok(module.emit_wasm())
}

/// A name with the types in it by their last segment: `<alloc::vec::Vec<T> as core::ops::Drop>::drop`
/// is `<Vec<T> as Drop>::drop`.
fn short(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    let mut depth = 0_usize;
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '<' => depth += 1,
            '>' if !short.ends_with('-') => depth = depth.saturating_sub(1),
            ':' if depth > 0 && chars.peek() == Some(&':') => {
                let is_of_path = |char: char| char.is_alphanumeric() || char == '_';
                let kept = short.trim_end_matches(is_of_path).len();
                // Behind `>` comes a name that says which function of the type it is.
                if kept < short.len() {
                    chars.next();
                    short.truncate(kept);
                    continue;
                }
            }
            _ => {}
        }
        short.push(char);
    }
    short
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, FunctionId, ValType};

    use super::*;

    /// A module that exports a function of its own under each of these names.
    fn module(names: &[&str]) -> Module {
        let mut module = Module::default();
        for start in unreachable::NEVER_CALLED {
            function(&mut module, start, 0);
        }
        for (name, value) in names.iter().zip(0..) {
            let id = function(&mut module, "_ZN4core3fmt5write17h0123456789abcdefE", value);
            module.exports.add(name, id);
        }
        module
    }

    fn function(module: &mut Module, name: &str, value: i32) -> FunctionId {
        let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
        function.name(name.to_owned()).func_body().i32_const(value);
        function.finish(Vec::new(), &mut module.funcs)
    }

    #[test]
    fn only_what_is_used_is_left() {
        let names = [EXPORTS, &["proxy_on_log"]].concat();
        let trimmed = Module::from_buffer(&trim(module(&names)).unwrap()).unwrap();
        let exports: Vec<_> = trimmed.exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(exports, EXPORTS);
        assert_eq!(trimmed.funcs.iter().count(), EXPORTS.len());
        assert!(trimmed.funcs.iter().all(|it| it.name.as_deref() == Some("core::fmt::write")));
    }

    #[test]
    fn types_are_named_by_their_last_segment() {
        for (name, expected) in [
            ("jwt_rbac::authn::jwk::rsa_key", "jwt_rbac::authn::jwk::rsa_key"),
            ("<alloc::vec::Vec<a::T> as core::ops::Drop>::drop", "<Vec<T> as Drop>::drop"),
            ("a::b::<impl c::D for e::F>::g::{{closure}}", "a::b::<impl D for F>::g::{{closure}}"),
            ("a::b<fn(c::D) -> e::F>::g", "a::b<fn(D) -> F>::g"),
            ("a::b<<c::D as e::F>::G>", "a::b<<D as F>::G>"),
        ] {
            assert_eq!(short(name), expected);
        }
    }

    #[test]
    fn a_module_that_lacks_something_is_refused() {
        assert_eq!(trim(module(&EXPORTS[1..])).unwrap_err(), "expected the exports _initialize");
    }
}
