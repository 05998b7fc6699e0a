//! The signals that end a command which would run for ever.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Ends when somebody wants the process to end: Ctrl-C, SIGTERM, a terminal that is closed.
///
/// # Errors
///
/// Outside of a runtime of tokio.
pub fn stopped() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}
