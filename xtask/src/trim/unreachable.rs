//! Functions that nothing calls, though the linker can't know that.

use std::collections::HashSet;

use walrus::{ElementItems, FunctionBuilder, FunctionId, FunctionKind, Module};

/// What a trace would show of them.
const TRAP: &str = "never_called";

/// What is there and never called, by the start of the name, and why.
pub const NEVER_CALLED: &[&str] = &[
    // The SDK makes the other kind of context for a root context that says so (`get_type`); ours says HTTP.
    "proxy_wasm::dispatcher::Dispatcher::create_stream_context",
    // Signed numbers are for products of more than 256 digits each (`mac3`), 8192 bits, which is the largest
    // modulus that is accepted (`RSA_BITS`).
    "<num_bigint_dig::bigint::BigInt as ",
    "<&num_bigint_dig::bigint::BigInt as ",
];

/// Replaces them by a trap, so that what only they call can go.
///
/// # Errors
/// What is not there: the list is for another version of a dependency.
pub fn cut(module: &mut Module) -> Result<(), String> {
    let names: Vec<_> = module
        .funcs
        .iter_local()
        .map(|(id, _)| {
            let name = module.funcs.get(id).name.as_deref().unwrap_or_default();
            (id, format!("{:#}", rustc_demangle::demangle(name)))
        })
        .collect();
    for start in NEVER_CALLED {
        let mut found = names.iter().filter(|(_, name)| name.starts_with(start)).peekable();
        if found.peek().is_none() {
            return Err(format!("expected a function `{start}…`"));
        }
        for (id, _) in found {
            trap(module, *id);
        }
    }
    let calls: HashSet<_> =
        names.iter().filter(|(_, name)| is_host_call(name)).map(|(id, _)| *id).collect();
    cut_from_table(module, &calls);
    Ok(())
}

/// Leaves nothing in a function but a trap.
fn trap(module: &mut Module, id: FunctionId) {
    let function = module.funcs.get_mut(id);
    function.name = Some(TRAP.to_owned());
    if let FunctionKind::Local(function) = &mut function.kind {
        let mut body = function.builder_mut().func_body();
        body.instrs_mut().clear();
        body.unreachable();
    }
}

/// Puts a trap in the place of these functions in the table of those that are called through a pointer.
fn cut_from_table(module: &mut Module, functions: &HashSet<FunctionId>) {
    let mut trap = FunctionBuilder::new(&mut module.types, &[], &[]);
    trap.name(TRAP.to_owned()).func_body().unreachable();
    let trap = trap.finish(Vec::new(), &mut module.funcs);
    for element in module.elements.iter_mut() {
        if let ElementItems::Functions(entries) = &mut element.items {
            for entry in entries.iter_mut().filter(|entry| functions.contains(entry)) {
                *entry = trap;
            }
        }
    }
}

/// Whether this is a call to the host that the SDK offers as a method of every context. Methods of a
/// trait have their place in the table of each type that has it, so the linker keeps them; but the SDK
/// calls only callbacks in that way, and the filter calls what it needs directly.
fn is_host_call(name: &str) -> bool {
    let Some((_, method)) =
        name.strip_prefix("proxy_wasm::traits::").and_then(|name| name.split_once("::"))
    else {
        return false;
    };
    let is_callback = method == "get_type"
        || ["on_", "create_"].into_iter().any(|start| method.starts_with(start));
    !is_callback
}

#[cfg(test)]
mod tests {
    use walrus::ConstExpr;
    use walrus::ir::Value;
    use walrus::{ElementKind, RefType};

    use super::*;

    #[test]
    fn only_methods_that_call_the_host_are_cut() {
        for (name, expected) in [
            ("proxy_wasm::traits::Context::get_shared_data", true),
            ("proxy_wasm::traits::HttpContext::resume_http_request", true),
            ("proxy_wasm::traits::Context::done", true),
            ("proxy_wasm::traits::RootContext::on_vm_start", false),
            ("proxy_wasm::traits::RootContext::create_http_context", false),
            ("proxy_wasm::traits::RootContext::get_type", false),
            ("proxy_wasm::hostcalls::get_shared_data", false),
            ("jwt_rbac::traits::Context::done", false),
            ("<jwt_rbac_filter::Root as proxy_wasm::traits::Context>::done", false),
        ] {
            assert_eq!(is_host_call(name), expected, "{name}");
        }
    }

    #[test]
    fn an_entry_of_the_table_is_cut_and_a_direct_call_is_not() {
        let mut module = Module::default();
        let mut function = |name: &str| {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[]);
            function.name(name.to_owned()).func_body().i32_const(1).drop();
            function.finish(Vec::new(), &mut module.funcs)
        };
        let call = function("proxy_wasm::traits::Context::dispatch_http_call");
        let callback = function("proxy_wasm::traits::Context::on_done");
        for start in NEVER_CALLED {
            function(start);
        }
        module.exports.add("direct", call);
        let table = module.tables.add_local(false, 2, Some(2), RefType::FUNCREF);
        let offset = ConstExpr::Value(Value::I32(0));
        let kind = ElementKind::Active { table, offset };
        let entries = module.elements.add(kind, ElementItems::Functions(vec![call, callback]));
        cut(&mut module).unwrap();

        let ElementItems::Functions(entries) = &module.elements.get(entries).items else {
            panic!("the entries are functions");
        };
        let names: Vec<_> =
            entries.iter().map(|id| module.funcs.get(*id).name.as_deref().unwrap()).collect();
        assert_eq!(names, [TRAP, "proxy_wasm::traits::Context::on_done"]);
        let size = |id: FunctionId| module.funcs.get(id).kind.unwrap_local().size();
        assert_eq!((size(entries[0]), size(call)), (1, 2));
    }

    #[test]
    fn a_dependency_that_has_changed_is_noticed() {
        let error = cut(&mut Module::default()).unwrap_err();
        assert!(error.starts_with("expected a function `proxy_wasm::"), "{error}");
    }
}
