//! How much memory values take, in bytes, with what the allocator adds: what bounds the cache.

use serde_json::Value;

/// What a block of this size takes from the allocator, which rounds it up and writes its size beside
/// it (dlmalloc, the one of `wasm32-wasip1`).
#[must_use]
pub fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        bytes => bytes.saturating_add(15).max(24) & !7,
    }
}

/// What a value takes beside its own size.
#[must_use]
pub fn heap_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => allocated(text.capacity()),
        Value::Array(elements) => {
            let list = allocated(elements.capacity().saturating_mul(size_of::<Value>()));
            elements.iter().map(heap_size).fold(list, usize::saturating_add)
        }
        Value::Object(members) => {
            // A leaf of a `BTreeMap` has room for eleven members, and may have as few as five.
            let leaf = allocated(size_of::<(String, Value)>().saturating_mul(12));
            let leaves = leaf.saturating_mul(members.len().div_ceil(5));
            let sizes = members
                .iter()
                .map(|(name, member)| allocated(name.capacity()).saturating_add(heap_size(member)));
            sizes.fold(leaves, usize::saturating_add)
        }
    }
}
