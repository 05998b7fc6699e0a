//! The calls to Envoy that the filter makes, as functions that return `Result` and never panic.
//!
//! The SDK's own wrappers panic on a header value that is not UTF-8 and on statuses they do not
//! expect, and a panic takes the VM of the worker down for everybody; they also leave out the
//! response code details. So the few calls of the request path are declared here once more.
//! Sources: `proxy_wasm/exports.h` of proxy-wasm-cpp-host, and the ABI specification 0.2.1.
#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::missing_errors_doc,
    reason = "there is one error: a call that Envoy did not carry out"
)]
#![allow(
    unsafe_code,
    reason = "calls to the host are foreign calls; each block says why it is sound"
)]

use std::time::Duration;
use std::{fmt, ptr};

use jwt_rbac::forward::HeaderChange;
use jwt_rbac::request::Header;
use jwt_rbac::response::LocalReply;

pub mod connection;
pub mod envoy_key;
mod probe;
pub mod signature;

/// `BufferType::HttpCallResponseBody`
const CALL_RESPONSE_BODY: u32 = 4;
/// `StreamType::HttpRequest`
const REQUEST_STREAM: u32 = 0;
/// `BufferType::PluginConfiguration`
const PLUGIN_CONFIGURATION: u32 = 7;
/// `grpc_status` outside of 0–16: Envoy derives it from the HTTP status where the request is gRPC.
const GRPC_STATUS_FROM_HTTP: i32 = -1;

/// A call that the host did not carry out, with the status it gave.
#[derive(Clone, Copy, Debug)]
pub struct HostError(u32);

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Envoy answered the call with status {} (proxy_status_t)", self.0)
    }
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
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
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        result: *mut *mut u8,
        result_size: *mut usize,
    ) -> u32;
}

/// A list of headers.
#[derive(Clone, Copy, Debug)]
pub enum HeaderMap {
    /// `MapType::HttpRequestHeaders`
    RequestHeaders = 0,
    /// `MapType::HttpRequestTrailers`
    RequestTrailers = 1,
    /// `MapType::HttpCallResponseHeaders`
    CallResponseHeaders = 6,
}

/// All lines of a list of headers, as the host wrote them into our memory.
pub struct HeaderLines(Vec<u8>);

impl HeaderLines {
    /// Fetches them with one call.
    pub fn fetch(map: HeaderMap) -> Result<Self, HostError> {
        // SAFETY: both pointers are to locals that live through the call.
        returned(|data, size| unsafe { proxy_get_header_map_pairs(map as u32, data, size) })
            .map(Self)
    }

    /// The lines, in order; `None` if the host's list can't be read.
    ///
    /// The layout is: number of pairs; for each the sizes of name and value; for each the name, a
    /// zero byte, the value, a zero byte. Numbers are 32 bits, little-endian. No lines are no bytes
    /// (`get_header_map_pairs` of proxy-wasm-cpp-host).
    #[must_use]
    pub fn lines(&self) -> Option<Vec<Header<'_>>> {
        if self.0.is_empty() {
            return Some(Vec::new());
        }
        let mut numbers = self.0.as_slice();
        let mut number = || {
            let (digits, rest) = numbers.split_first_chunk()?;
            numbers = rest;
            usize::try_from(u32::from_le_bytes(*digits)).ok()
        };
        let count = number()?;
        let texts_start = count.checked_mul(8)?.checked_add(4)?;
        let mut texts = self.0.get(texts_start..)?;
        let mut text = |size| {
            let (text, rest) = texts.split_at_checked(size)?;
            texts = rest.strip_prefix(&[0])?;
            Some(text)
        };
        // Bounded by what is there: `texts_start` lies within it.
        let mut lines = Vec::with_capacity(count);
        for _ in 0..count {
            let (name_size, value_size) = (number()?, number()?);
            lines.push((text(name_size)?, text(value_size)?));
        }
        Some(lines)
    }
}

/// Makes one change of the request's headers.
pub fn change_header(change: &HeaderChange<'_>) -> Result<(), HostError> {
    // SAFETY: every pointer is to a slice that lives through the call, with the slice's length.
    done(match change {
        HeaderChange::Remove(name) => unsafe {
            proxy_remove_header_map_value(
                HeaderMap::RequestHeaders as u32,
                name.as_ptr(),
                name.len(),
            )
        },
        HeaderChange::Replace(name, value) => unsafe {
            proxy_replace_header_map_value(
                HeaderMap::RequestHeaders as u32,
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            )
        },
    })
}

/// Removes every trailer with this name.
pub fn remove_trailer(name: &[u8]) -> Result<(), HostError> {
    // SAFETY: the pointer is to a slice that lives through the call, with the slice's length.
    done(unsafe {
        proxy_remove_header_map_value(HeaderMap::RequestTrailers as u32, name.as_ptr(), name.len())
    })
}

/// The text of `pluginConfig`; empty where there is none.
pub fn plugin_configuration() -> Result<Vec<u8>, HostError> {
    // SAFETY: both pointers are to locals that live through the call.
    returned(|data, size| unsafe {
        proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, usize::MAX, data, size)
    })
}

/// The body of the answer to a call, of which Envoy has said that it has this size, in bytes.
pub fn call_response_body(size: usize) -> Result<Vec<u8>, HostError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: both pointers are to locals that live through the call.
    returned(|data, size_out| unsafe {
        proxy_get_buffer_bytes(CALL_RESPONSE_BODY, 0, size, data, size_out)
    })
}

/// Makes the calls that follow about a request or a plugin, by what Envoy calls it.
pub fn set_effective_context(context_id: u32) -> Result<(), HostError> {
    // SAFETY: the call takes no pointer.
    done(unsafe { proxy_set_effective_context(context_id) })
}

/// Lets a request continue that was held at its headers.
pub fn continue_request() -> Result<(), HostError> {
    // SAFETY: the call takes no pointer.
    done(unsafe { proxy_continue_stream(REQUEST_STREAM) })
}

/// The time now, in seconds since 1970.
///
/// # Errors
/// Where Envoy does not say.
pub fn time() -> Result<u64, HostError> {
    let mut nanoseconds = 0;
    // SAFETY: the pointer is to a local that lives through the call.
    done(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanoseconds) })?;
    Ok(nanoseconds / 1_000_000_000)
}

/// Asks Envoy to tick the plugin at this interval; no interval stops it.
pub fn set_tick_period(period: Duration) -> Result<(), HostError> {
    // Durations of ours are far below 49 days.
    let milliseconds = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: the call takes no pointer.
    done(unsafe { proxy_set_tick_period_milliseconds(milliseconds) })
}

/// Answers the request in place of the workload.
pub fn send_local_reply(reply: &LocalReply) -> Result<(), HostError> {
    let headers = header_pairs(&reply.headers);
    // SAFETY: every pointer is to a slice that lives through the call, with the slice's length.
    done(unsafe {
        proxy_send_local_response(
            reply.status.into(),
            reply.details.as_ptr(),
            reply.details.len(),
            reply.body.as_ptr(),
            reply.body.len(),
            headers.as_ptr(),
            headers.len(),
            GRPC_STATUS_FROM_HTTP,
        )
    })
}

/// A list of headers in the layout of [`HeaderLines::lines`].
fn header_pairs(headers: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let number = |size: usize| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
    let mut pairs = number(headers.len()).to_vec();
    for (name, value) in headers {
        pairs.extend(number(name.len()));
        pairs.extend(number(value.len()));
    }
    for (name, value) in headers {
        for text in [name.as_bytes(), value] {
            pairs.extend_from_slice(text);
            pairs.push(0);
        }
    }
    pairs
}

/// A property of the request or its connection; `None` where there is none. The steps of its path are
/// parted by NUL.
fn property(path: &str) -> Result<Option<Vec<u8>>, HostError> {
    const NOT_FOUND: u32 = 1;
    // What is null can't be written.
    const SERIALIZATION_FAILURE: u32 = 3;
    // SAFETY: the pointers are to a slice and locals that live through the call.
    let value =
        returned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) });
    match value {
        // An empty text and nothing look alike.
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(HostError(NOT_FOUND | SERIALIZATION_FAILURE)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets a value that access logs can show, as `%FILTER_STATE(wasm.<name>:PLAIN)%`.
pub fn set_filter_state(name: &str, value: &str) -> Result<(), HostError> {
    // SAFETY: every pointer is to a slice that lives through the call, with the slice's length.
    done(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
}

/// A kind of metric.
#[derive(Clone, Copy, Debug)]
pub enum MetricKind {
    /// `MetricType::Counter`
    Counter = 0,
    /// `MetricType::Gauge`
    Gauge = 1,
}

/// A metric of this VM. The statistic behind it is one for the whole process.
#[derive(Clone, Copy, Debug)]
pub struct Metric(u32);

/// Defines a metric; Envoy shows it as `wasmcustom.<name>`.
pub fn define_metric(kind: MetricKind, name: &str) -> Result<Metric, HostError> {
    let mut id = 0;
    // SAFETY: the pointers are to a slice and a local that live through the call.
    done(unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) })?;
    Ok(Metric(id))
}

/// Adds to a counter; nothing where there is nothing to add.
pub fn increment(Metric(id): Metric, by: u64) -> Result<(), HostError> {
    match i64::try_from(by) {
        Ok(0) | Err(_) => Ok(()),
        // SAFETY: no pointer is involved.
        Ok(by) => done(unsafe { proxy_increment_metric(id, by) }),
    }
}

/// Adds to a gauge, or takes from it.
pub fn change(Metric(id): Metric, by: i64) -> Result<(), HostError> {
    // SAFETY: no pointer is involved.
    done(unsafe { proxy_increment_metric(id, by) })
}

/// Sets a gauge.
pub fn record(Metric(id): Metric, value: u64) -> Result<(), HostError> {
    // SAFETY: no pointer is involved.
    done(unsafe { proxy_record_metric(id, value) })
}

/// Calls a function of Envoy that is not part of the ABI.
fn call_foreign_function(name: &str, arguments: &[u8]) -> Result<Vec<u8>, HostError> {
    // SAFETY: the pointers are to slices and locals that live through the call.
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

fn done(status: u32) -> Result<(), HostError> {
    if status == 0 { Ok(()) } else { Err(HostError(status)) }
}

/// What a call has written into memory that the host allocated in our VM.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Result<Vec<u8>, HostError> {
    let mut data = ptr::null_mut();
    let mut size = 0;
    done(call(&raw mut data, &raw mut size))?;
    if data.is_null() {
        return Ok(Vec::new());
    }
    // SAFETY: the host allocates with `proxy_on_memory_allocate`, which the SDK exports and which
    // gives away a boxed slice of exactly this size, which nothing else owns.
    let slice = unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, size)) };
    Ok(slice.into_vec())
}
