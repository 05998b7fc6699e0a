//! The calls of the Proxy-Wasm ABI, without an SDK. Each returns `None` when the host refuses the
//! call.

use std::{mem, ptr};

/// `MapType::HttpRequestHeaders`
const REQUEST_HEADERS: u32 = 0;
/// `BufferType::PluginConfiguration`
const PLUGIN_CONFIGURATION: u32 = 7;
/// `MetricType::Counter`
const COUNTER: u32 = 0;
/// The reply is not gRPC.
const NO_GRPC_STATUS: i32 = -1;
/// An empty list of headers: its length, in 32 bits.
const NO_HEADERS: [u8; 4] = [0; 4];

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

/// Allocates memory that the host writes to. [`returned`] takes ownership of it.
pub fn allocate(size: usize) -> *mut u8 {
    let mut bytes = Vec::with_capacity(size);
    let start = bytes.as_mut_ptr();
    mem::forget(bytes);
    start
}

/// The text of the plugin's configuration.
pub fn plugin_configuration() -> Option<Vec<u8>> {
    // SAFETY: both pointers are to locals that live through the call.
    returned(|data, size| unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, data, size)
    })
}

/// The value of one header of the request.
pub fn header(name: &str) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to a slice and to locals that live through the call.
    returned(|data, size| unsafe {
        proxy_get_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len(), data, size)
    })
}

/// All headers of the request, as the host serialises them.
pub fn headers() -> Option<Vec<u8>> {
    // SAFETY: both pointers are to locals that live through the call.
    returned(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, size) })
}

/// Removes a header of the request.
pub fn remove_header(name: &str) -> Option<()> {
    // SAFETY: the pointer is to a slice that lives through the call.
    done(unsafe { proxy_remove_header_map_value(REQUEST_HEADERS, name.as_ptr(), name.len()) })
}

/// The time, in nanoseconds since 1970.
pub fn now() -> Option<u64> {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a local that lives through the call.
    done(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) })?;
    Some(nanoseconds)
}

/// A counter that Envoy keeps.
#[derive(Clone)]
pub struct Counter(u32);

/// Defines a counter.
pub fn define_counter(name: &str) -> Option<Counter> {
    let mut id = 0;
    // SAFETY: the pointers are to a slice and a local that live through the call.
    done(unsafe { proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut id) })?;
    Some(Counter(id))
}

impl Counter {
    /// Adds one to the counter.
    pub fn increment(&self) -> Option<()> {
        // SAFETY: no pointer is involved.
        done(unsafe { proxy_increment_metric(self.0, 1) })
    }
}

/// Sets a value that access logs can show.
pub fn set_property(name: &str, value: &str) -> Option<()> {
    // SAFETY: both pointers are to slices that live through the call.
    done(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// Calls a function of Envoy that is not part of the ABI.
pub fn call_foreign_function(name: &str, arguments: &[u8]) -> Option<Vec<u8>> {
    // SAFETY: the pointers are to slices and to locals that live through the call.
    returned(|data, size| unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            arguments.as_ptr(),
            arguments.len(),
            data,
            size,
        )
    })
}

/// Answers the request.
pub fn send_local_response(status: u32, body: &str) -> Option<()> {
    let details = "floor";
    // SAFETY: every pointer is to a slice that lives through the call.
    done(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            NO_HEADERS.as_ptr(),
            NO_HEADERS.len(),
            NO_GRPC_STATUS,
        )
    })
}

fn done(status: u32) -> Option<()> {
    (status == 0).then_some(())
}

/// Runs a call that returns bytes: the host gets memory from [`allocate`] and writes them there.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let (mut data, mut size) = (ptr::null_mut(), 0);
    done(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Some(Vec::new());
    }
    // SAFETY: the host allocates with `proxy_on_memory_allocate`, asks for exactly this size, and
    // has written all of it.
    let slice = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, size)) };
    Some(slice.into_vec())
}
