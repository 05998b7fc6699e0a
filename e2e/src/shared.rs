//! One Envoy for all tests of a suite: it takes longer to start than most of them to run.

use std::sync::{Arc, Mutex, PoisonError, Weak, mpsc};
use std::thread;

use crate::envoy::Envoy;

/// An Envoy that runs as long as a test uses it. A `static` Envoy would never be dropped, and its
/// directory would stay.
#[derive(Debug, Default)]
pub struct SharedEnvoy(Mutex<Weak<Envoy>>);

impl SharedEnvoy {
    /// One that does not run yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The running one, else one that is started now.
    ///
    /// # Panics
    ///
    /// When it can't be started.
    pub fn get(&self, start: fn() -> Envoy) -> Arc<Envoy> {
        // An earlier start that failed has poisoned the lock. This one may fail too, with its own
        // message.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let envoy = Arc::new(on_lasting_thread(start));
            *shared = Arc::downgrade(&envoy);
            envoy
        })
    }
}

/// Starts Envoy on a thread that does not end: Envoy gets SIGTERM when the thread that started it
/// ends, and the thread of one test ends before the other tests.
fn on_lasting_thread(start: fn() -> Envoy) -> Envoy {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // This can't fail: the receiver waits.
        let _ = sender.send(start());
        loop {
            thread::park();
        }
    });
    receiver.recv().expect("Envoy starts")
}
