//! A Proxy-Wasm module that makes, for each request, the calls to Envoy that its configuration
//! lists, and does nothing else: what a filter in Wasm costs before its own code runs. A call that
//! fails answers the request with 500, so that nobody measures calls that were not made.
//!
//! The configuration is a list, such as `["headers", "time", {"verify": "<base64>"}]`:
//!
//! | step | call |
//! |---|---|
//! | `header` | fetches `authorization` by its name |
//! | `headers` | fetches all headers |
//! | `time` | asks for the time |
//! | `count` | adds one to a counter |
//! | `remove` | removes `authorization` |
//! | `filter_state` | sets `value` under `name` for access logs |
//! | `verify` | has Envoy check a signature; the argument of `verify_signature`, in base64 |
//! | `local_reply` | answers with 403 |
//!
//! It is written without the SDK, which exports every callback there is, and Envoy calls every
//! callback that is exported.

#![cfg(target_arch = "wasm32")]
#![allow(
    unsafe_code,
    reason = "calls to the host are foreign calls; each block says why it is sound"
)]

mod host;
mod step;

use std::cell::RefCell;
use std::rc::Rc;

use step::Step;

/// `proxy_action_t`
const CONTINUE: u32 = 0;
/// See [`CONTINUE`].
const PAUSE: u32 = 1;

/// The state of this VM.
#[derive(Default)]
struct Module {
    /// The steps of each plugin, by its root context.
    plugins: Vec<(u32, Rc<[Step]>)>,
    /// The root context of each stream. The benchmark has few at a time, so a list is faster than a
    /// map.
    streams: Vec<(u32, u32)>,
}

thread_local! {
    static MODULE: RefCell<Module> = RefCell::default();
}

unsafe extern "C" {
    fn __wasm_call_ctors();
}

/// Says which ABI the module is for.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_abi_version_0_2_1() {}

/// The first call of the host.
#[unsafe(no_mangle)]
pub extern "C" fn _initialize() {
    // SAFETY: the host calls this once, before anything else.
    unsafe { __wasm_call_ctors() }
}

/// Gives the host memory for the results of calls.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    host::allocate(size)
}

/// The VM starts. There is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_vm_start(_: u32, _: usize) -> u32 {
    1
}

/// Reads the steps of a plugin. Returns 0 to refuse them.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_configure(plugin: u32, _: usize) -> u32 {
    let text = host::plugin_configuration().unwrap_or_default();
    let Ok(steps) = serde_json::from_slice::<Vec<Step>>(&text) else { return 0 };
    MODULE.with_borrow_mut(|module| module.plugins.push((plugin, steps.into())));
    1
}

/// Creates the context of a stream, or that of a plugin, which has no parent.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_context_create(context: u32, parent: u32) {
    if parent != 0 {
        MODULE.with_borrow_mut(|module| module.streams.push((context, parent)));
    }
}

/// Runs the steps for a request.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_request_headers(context: u32, _: usize, _: u32) -> u32 {
    let steps = MODULE.with_borrow(|module| {
        let (_, plugin) = module.streams.iter().find(|(stream, _)| *stream == context)?;
        module.plugins.iter().find(|(root, _)| root == plugin).map(|(_, steps)| Rc::clone(steps))
    });
    let mut action = CONTINUE;
    for step in steps.as_deref().unwrap_or_default() {
        if step.take().is_none() {
            let _ = host::send_local_response(500, "");
            return PAUSE;
        }
        if matches!(step, Step::LocalReply) {
            action = PAUSE;
        }
    }
    action
}

/// Drops the context of a stream or a plugin.
#[unsafe(no_mangle)]
pub extern "C" fn proxy_on_delete(context: u32) {
    MODULE.with_borrow_mut(|module| {
        module.streams.retain(|(stream, _)| *stream != context);
        module.plugins.retain(|(plugin, _)| *plugin != context);
    });
}
