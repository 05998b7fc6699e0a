//! The filter as Envoy sees it: one root context for each configured plugin and worker, one HTTP
//! context for each request.

use std::rc::Rc;

use log::{error, info, warn};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

use crate::authz::Permit;
use crate::config;
use crate::decision::{self, Denial};
use crate::document::Document;
use crate::forward;
use crate::host::signature::Envoy;
use crate::host::{self, RequestHeaders};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(Plugin { document: None }));
}}

/// One configured plugin.
struct Plugin {
    /// The document in force; without one everything is denied.
    document: Option<Rc<Document>>,
}

impl Context for Plugin {}

impl RootContext for Plugin {
    /// Refused: Envoy keeps the document that was in force before; as the first one, the listener
    /// stays closed.
    fn on_configure(&mut self, _: usize) -> bool {
        let text = match host::plugin_configuration() {
            Ok(text) => text,
            Err(error) => {
                error!("jwt-rbac: document refused: pluginConfig can't be read: {error:?}");
                return false;
            }
        };
        match config::compile(&text, &Envoy::default()) {
            Ok((document, problems)) => {
                for warning in problems.warnings {
                    warn!("jwt-rbac: {warning}");
                }
                info!("jwt-rbac {}: document in force", env!("CARGO_PKG_VERSION"));
                self.document = Some(Rc::new(document));
                true
            }
            Err(problems) => {
                let errors: Vec<_> = problems.errors.iter().map(ToString::to_string).collect();
                let (count, list) = (errors.len(), errors.join("\n  "));
                error!("jwt-rbac: document refused, {count} errors:\n  {list}");
                false
            }
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(HttpFilter { document: self.document.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// One request.
struct HttpFilter {
    document: Option<Rc<Document>>,
}

impl Context for HttpFilter {}

impl HttpContext for HttpFilter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = RequestHeaders::fetch().ok();
        let lines = headers.as_ref().and_then(RequestHeaders::lines);
        let request = lines.as_deref().and_then(|lines| Request::read(lines).ok());
        match self.judge(request.as_ref()) {
            Ok(()) => Action::Continue,
            Err(denial) => {
                let locations =
                    self.document.as_ref().map(|document| document.authenticator.locations());
                let reply =
                    response::local_reply(&denial, request.as_ref(), locations.unwrap_or_default());
                if let Err(error) = host::send_local_reply(&reply) {
                    error!("jwt-rbac: a denied request could not be answered: {error:?}");
                }
                // Without an answer the request waits until it times out: it never continues.
                Action::Pause
            }
        }
    }
}

impl HttpFilter {
    /// Lets the request continue, or says why it may not.
    fn judge(&self, request: Option<&Request<'_>>) -> Result<(), Denial<'_>> {
        let document = self.document.as_ref().ok_or(Refusal::DocumentMissing)?;
        let request = request.ok_or(Refusal::RequestMalformed)?;
        let now = host::now().map_err(|_| Refusal::HostFailure)?;
        let permit = decision::decide(document, request, now)?;
        forward(document, request, &permit)
    }
}

/// Makes the request what the workload is to receive. It takes a [`Permit`], so that no request
/// that was not judged can get here.
fn forward<'d>(
    document: &Document,
    request: &Request<'_>,
    permit: &Permit,
) -> Result<(), Denial<'d>> {
    for change in forward::changes(document, request, permit) {
        host::change_header(&change).map_err(|_| Refusal::HostFailure)?;
    }
    Ok(())
}
