//! What happens while a document is tried. Each source is a thread, which ends with the process.

use std::cell::Cell;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime};

use super::workload;
use crate::signals::stopped;

/// How often the file is looked at, and how long it must stay as it is before it is read: an editor may write
/// it in several steps. Looking costs less than what it takes to be told on every system, and works on network
/// drives.
const LOOK: Duration = Duration::from_millis(100);

/// Something that happened.
pub enum Event {
    /// Envoy has logged a line.
    Log(String),
    /// The file has changed.
    Saved,
    /// Envoy has ended.
    Ended,
    /// Somebody wants the process to end.
    Stopped,
}

/// What happens, in order.
pub struct Events {
    receiver: Receiver<Event>,
    sender: Sender<Event>,
    is_stopped: Cell<bool>,
}

impl Events {
    /// Watches the file and the signals. Returns also where the workload listens: the one that is given, or
    /// one of our own.
    ///
    /// # Errors
    ///
    /// When the system has no socket or no thread left.
    pub fn start(file: &Path, workload: Option<SocketAddr>) -> io::Result<(Self, SocketAddr)> {
        let (sender, receiver) = mpsc::channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let own = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = {
            // From here on a signal ends nothing by itself.
            let _entered = runtime.enter();
            stopped()?
        };
        let stopping = sender.clone();
        thread::Builder::new().spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = stop => {}
                    () = workload::serve(listener) => {}
                }
            });
            let _ = stopping.send(Event::Stopped);
        })?;
        let (saving, file) = (sender.clone(), file.to_owned());
        thread::Builder::new().spawn(move || watch(&file, &saving))?;
        let events = Self { receiver, sender, is_stopped: Cell::new(false) };
        Ok((events, workload.unwrap_or(own)))
    }

    /// Reads a log to its end.
    ///
    /// # Errors
    ///
    /// When the system has no thread left.
    pub fn read_log(&self, log: impl Read + Send + 'static) -> io::Result<()> {
        let sender = self.sender.clone();
        thread::Builder::new().spawn(move || {
            let mut log = BufReader::new(log);
            let mut line = Vec::new();
            while log.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(Event::Log(text)).is_err() {
                    return;
                }
                line.clear();
            }
            let _ = sender.send(Event::Ended);
        })?;
        Ok(())
    }

    /// The next event, if there is one within this time.
    pub fn next(&self, time: Duration) -> Result<Event, RecvTimeoutError> {
        if self.is_stopped.get() { Ok(Event::Stopped) } else { self.receiver.recv_timeout(time) }
    }

    /// Tells of a saved file once more.
    pub fn save_again(&self) {
        // There is a receiver as long as there is this.
        let _ = self.sender.send(Event::Saved);
    }

    /// Lets the next event be the last.
    pub fn stop(&self) {
        self.is_stopped.set(true);
    }
}

/// What tells that a file is another one than before.
fn stamp(file: &Path) -> Option<(SystemTime, u64, u64)> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

fn watch(file: &Path, sender: &Sender<Event>) {
    let mut known = stamp(file);
    loop {
        thread::sleep(LOOK);
        let mut found = stamp(file);
        if found == known {
            continue;
        }
        loop {
            thread::sleep(LOOK);
            let again = stamp(file);
            if again == found {
                break;
            }
            found = again;
        }
        known = found;
        // Some editors remove a file before they write it.
        if found.is_some() && sender.send(Event::Saved).is_err() {
            return;
        }
    }
}
