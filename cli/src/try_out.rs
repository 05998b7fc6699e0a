//! `jwt-rbac try`: a local Envoy with the filter and a document, whose decisions are shown as they are made.
//! The document is loaded again whenever its file is saved.
//!
//! | module | what it is |
//! |---|---|
//! | [`document`] | the document, checked, and made ready for tokens of this run |
//! | [`keys`] | the keys that sign these tokens |
//! | [`requests`] | a command and a token for each route |
//! | [`proxy`] | Envoy with the filter, before the workload |
//! | [`workload`] | what is behind the filter: it answers with what reached it |
//! | [`events`] | what happens meanwhile: a line of the log, a saved file, Ctrl-C |
//! | [`decision`] | a decision of the log, for people |
//! | [`screen`] | the terminal |

mod decision;
mod document;
mod events;
mod keys;
mod proxy;
mod requests;
mod screen;
mod workload;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use jwt_rbac_local::programs;
use jwt_rbac_local::temporary::TemporaryDirectory;

use crate::error::Error;
use crate::files;
use crate::now::now;
use crate::output::{Color, Output};
use document::Trial;
use events::{Event, Events};
use keys::Keys;
use proxy::{Proxy, Update};
use requests::Requests;
use screen::Screen;

/// How often tokens are minted again, so that none of them expires while they are used.
const MINT_AGAIN: Duration = Duration::from_mins(1);

/// Try a document in a local Envoy: decisions as they are made, a token for each route, reload on save
#[derive(clap::Args)]
#[command(after_help = "Examples:
  jwt-rbac try orders.yaml
  jwt-rbac try orders.yaml --workload 127.0.0.1:3000

Envoy is the one that ENVOY names, else that of func-e (https://func-e.io), else `envoy` on PATH; it listens on this
machine alone. Tokens are signed with keys that are made for this run, in place of those of your issuer.

Ctrl-C or SIGTERM ends it, with everything that it started. Exit status: 0 then, 1 for a document that can't be
used and for an Envoy that does not start, 2 for a wrong command line.")]
pub struct Options {
    /// A `WasmPlugin`, a `TrafficExtension` or a bare `pluginConfig`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name of the resource, where the file has several
    #[arg(long, value_name = "NAME")]
    resource: Option<String>,
    /// The port on 127.0.0.1 that takes requests; 0 for a free one
    #[arg(long, value_name = "PORT", default_value_t = 9080)]
    port: u16,
    /// The workload behind the filter; default: one that answers with what reached it
    #[arg(long, value_name = "ADDRESS")]
    workload: Option<SocketAddr>,
    /// The filter; default: `jwt_rbac.wasm` beside this program, in this folder or in `target/`
    #[arg(long, value_name = "FILE")]
    wasm: Option<PathBuf>,
    #[command(flatten)]
    color: Color,
}

/// Runs until somebody ends it.
///
/// # Errors
///
/// When the document, Envoy or the module can't be used.
pub fn run(options: &Options) -> Result<Output, Error> {
    if options.file == Path::new("-") {
        let problem = "`try` loads its file again when it is saved; expected the path of a file";
        return Err(Error::Usage(problem.to_owned()));
    }
    let mut screen = Screen::new(options.color.is_on());
    let mut keys = Keys::default();
    let file = files::read(&options.file)?;
    let trial = Trial::new(&file, options.resource.as_deref(), &mut keys, &mut screen)?;
    let module = programs::module(options.wasm.as_deref()).map_err(Error::Local)?;
    let port = free_port(options.port)?;
    let binary = programs::envoy().map_err(Error::Local)?;
    screen.faint(&format!("Envoy: {}\nfilter: {}", binary.display(), module.display()))?;
    let failed = |source| Error::Folder { source };
    // Only one process can have the port, so the folder is its own: the name says where tokens are, also in docs.
    let directory = TemporaryDirectory::named(&format!("jwt-rbac-{port}")).map_err(failed)?;
    let (events, workload) =
        Events::start(&options.file, options.workload).map_err(Error::Events)?;
    let started = Proxy::start(
        &proxy::Start { binary, module, directory: directory.path(), port, workload },
        &trial.config,
        &events,
    )?;
    let Some(proxy) = started else { return Ok(String::new().into()) };
    let (text, shown) = (file.text, String::new());
    let mut session = Session { options, text, shown, screen, keys, trial, proxy, directory };
    session.greet(port)?;
    session.follow(&events)?;
    Ok(String::new().into())
}

/// The port, if nobody else listens there; a free one for 0.
fn free_port(port: u16) -> Result<u16, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bound = TcpListener::bind(address).and_then(|listener| listener.local_addr());
    let bound = bound.map_err(|source| Error::Listen { address, source })?;
    Ok(bound.port())
}

/// A document in Envoy.
struct Session<'o> {
    options: &'o Options,
    /// The file as it was read last.
    text: String,
    /// The commands for its routes that are on the terminal.
    shown: String,
    screen: Screen,
    keys: Keys,
    trial: Trial,
    // Before the folder, so that Envoy ends first.
    proxy: Proxy,
    directory: TemporaryDirectory,
}

impl Session<'_> {
    fn greet(&mut self, port: u16) -> Result<(), Error> {
        self.screen.bold(&format!("ready: http://127.0.0.1:{port}"))?;
        self.screen.line(&self.keys.told())?;
        self.show_requests()?;
        let file = self.options.file.display();
        self.screen.line(&format!(
            "\nSave {file} to load it again; Ctrl-C ends this. Decisions, as they are made:\n"
        ))
    }

    /// Shows what happens until somebody ends it.
    fn follow(&mut self, events: &Events) -> Result<(), Error> {
        let mut minted = Instant::now();
        loop {
            if minted.elapsed() > MINT_AGAIN {
                minted = Instant::now();
                self.requests()?;
            }
            match events.next(MINT_AGAIN) {
                Ok(Event::Log(line)) => self.screen.log(&line)?,
                Ok(Event::Saved) => self.reload(events)?,
                Ok(Event::Stopped) => return Ok(()),
                Ok(Event::Ended) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Envoy("it ended by itself".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Loads the file again. What can't be used is shown, and the document before stays in force.
    fn reload(&mut self, events: &Events) -> Result<(), Error> {
        // An editor may be about to write it again.
        let Ok(file) = files::read(&self.options.file) else { return Ok(()) };
        if file.text == self.text {
            return Ok(());
        }
        self.text.clone_from(&file.text);
        let resource = self.options.resource.as_deref();
        let trial = match Trial::new(&file, resource, &mut self.keys, &mut self.screen) {
            Ok(trial) => trial,
            Err(Error::Write(error)) => return Err(Error::Write(error)),
            Err(error) => return self.screen.kept(&error.to_string()),
        };
        match self.proxy.replace(&trial.config, events)? {
            Update::Accepted => {
                self.trial = trial;
                self.screen.bold(&format!("{}: the new document is in force", file.name))?;
                self.show_requests()
            }
            Update::Refused(lines) => {
                lines.iter().try_for_each(|line| self.screen.log(line))?;
                self.screen.kept("Envoy refuses it")
            }
            Update::Stopped => {
                events.stop();
                Ok(())
            }
        }
    }

    fn show_requests(&mut self) -> Result<(), Error> {
        let shown = self.requests()?.to_string();
        if shown == self.shown {
            return Ok(());
        }
        self.shown = shown;
        self.screen.line(&self.shown)
    }

    fn requests(&self) -> Result<Requests, Error> {
        let address = self.proxy.address();
        Requests::mint(&self.trial, &self.keys, self.directory.path(), address, now()?)
    }
}
