//! Functions that differ in nothing but their names.
//!
//! Generic code is compiled for each of its types, and for many of them it comes out the same: a list
//! grows alike for all elements of twelve bytes. V8 would compile each copy.

use std::collections::HashMap;

use walrus::ir::{VisitorMut, dfs_pre_order_mut};
use walrus::{ElementItems, ExportItem, FunctionId, FunctionKind, LocalFunction, Module, passes};
use wasmparser::{FunctionBody, Parser, Payload};

/// Keeps one of each kind, with the name of the first. Callers of two that were the same may now be the
/// same themselves.
///
/// # Errors
/// When the module can't be read again.
pub fn merge(mut module: Module) -> Result<Module, String> {
    loop {
        let bytes = module.emit_wasm();
        module = Module::from_buffer(&bytes).map_err(|error| format!("{error:#}"))?;
        let kept = kept(&module, &bodies(&bytes)?);
        if kept.is_empty() {
            return Ok(module);
        }
        redirect(&mut module, kept);
        passes::gc::run(&mut module);
    }
}

/// The code of each function, in the order of their numbers.
fn bodies(module: &[u8]) -> Result<Vec<FunctionBody<'_>>, String> {
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CodeSectionEntry(body) = payload.map_err(|error| error.to_string())? {
            bodies.push(body);
        }
    }
    Ok(bodies)
}

/// For each function that is the same as one before, the one before.
fn kept(module: &Module, bodies: &[FunctionBody<'_>]) -> HashMap<FunctionId, FunctionId> {
    let mut first = HashMap::new();
    let mut kept = HashMap::new();
    // The parser of modules adds functions in the order of their numbers.
    for ((id, function), body) in module.funcs.iter_local().zip(bodies) {
        let first = *first.entry((function.ty(), body.as_bytes())).or_insert(id);
        if first != id {
            kept.insert(id, first);
        }
    }
    kept
}

fn redirect(module: &mut Module, kept: HashMap<FunctionId, FunctionId>) {
    let mut kept = Kept(kept);
    for element in module.elements.iter_mut() {
        if let ElementItems::Functions(functions) = &mut element.items {
            for function in functions {
                kept.visit_function_id_mut(function);
            }
        }
    }
    for export in module.exports.iter_mut() {
        if let ExportItem::Function(function) = &mut export.item {
            kept.visit_function_id_mut(function);
        }
    }
    for function in module.funcs.iter_mut() {
        if let FunctionKind::Local(function) = &mut function.kind {
            let entry = LocalFunction::entry_block(function);
            dfs_pre_order_mut(&mut kept, function, entry);
        }
    }
}

/// Puts the kept function in the place of each that is the same.
struct Kept(HashMap<FunctionId, FunctionId>);

impl VisitorMut for Kept {
    fn visit_function_id_mut(&mut self, function: &mut FunctionId) {
        *function = *self.0.get(function).unwrap_or(function);
    }
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ValType};

    use super::*;

    #[test]
    fn what_is_the_same_is_kept_once() {
        let mut module = Module::default();
        let mut constant = |value| {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
            function.func_body().i32_const(value);
            function.finish(Vec::new(), &mut module.funcs)
        };
        let (one, same, other) = (constant(1), constant(1), constant(2));
        // The callers are the same once what they call is.
        for (name, callee) in [("a", one), ("b", same), ("c", other)] {
            let mut caller = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
            caller.func_body().call(callee);
            let caller = caller.finish(Vec::new(), &mut module.funcs);
            module.exports.add(name, caller);
        }
        let merged = merge(module).unwrap();
        assert_eq!(merged.funcs.iter_local().count(), 4);
        let [a, b, c] = ["a", "b", "c"].map(|name| merged.exports.get_func(name).unwrap());
        assert!(a == b && a != c);
    }

    #[test]
    fn the_type_counts() {
        let mut module = Module::default();
        for (name, parameter) in [("a", ValType::I32), ("b", ValType::I64)] {
            let argument = module.locals.add(parameter);
            let function = FunctionBuilder::new(&mut module.types, &[parameter], &[]);
            let function = function.finish(vec![argument], &mut module.funcs);
            module.exports.add(name, function);
        }
        assert_eq!(merge(module).unwrap().funcs.iter_local().count(), 2);
    }
}
