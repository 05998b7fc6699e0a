//! The functions that a browser calls. It asks for [`room`] for its question, writes it there, calls [`run`], and
//! reads the answer at [`start`]. One buffer serves both, so that nobody has to free anything.

use std::cell::RefCell;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Where a question of this length is written to.
#[allow(
    unsafe_code,
    reason = "the page finds the function by this name, which is the only one of its kind"
)]
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.clear();
        buffer.resize(length, 0);
        buffer.as_mut_ptr()
    })
}

/// Answers the question in the buffer. Returns the length of the answer.
#[allow(unsafe_code, reason = "as above")]
#[unsafe(no_mangle)]
pub extern "C" fn run() -> usize {
    BUFFER.with_borrow_mut(|buffer| {
        *buffer = crate::ask(buffer);
        buffer.len()
    })
}

/// Where the answer begins.
#[allow(unsafe_code, reason = "as above")]
#[unsafe(no_mangle)]
pub extern "C" fn start() -> *const u8 {
    BUFFER.with_borrow(Vec::as_ptr)
}
