//! HTTPS for the webhook: bounded in connections, time and bytes, so that nobody who reaches the port
//! can exhaust it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::review::{self, Modules};
use crate::certificate::Certificate;

/// An object has at most 3 MiB (the limit of the API server for a request), and an update sends two.
const MAX_BODY: usize = 8 << 20;
const MAX_CONNECTIONS: usize = 256;
/// The API server waits for at most 30 s (`timeoutSeconds`).
const REQUEST_TIME: Duration = Duration::from_secs(30);
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long a client may take to send a header. The API server keeps idle connections for longer; it
/// opens another one.
const HEADER_TIME: Duration = Duration::from_mins(2);
/// How often the files of the certificate are looked at.
const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(5);
/// How long requests may still take after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stopped` ends and all requests are answered.
pub async fn serve(
    listener: TcpListener,
    certificate: Arc<Certificate>,
    modules: Modules,
    stopped: impl Future<Output = ()>,
) {
    let acceptor = match certificate.tls() {
        Ok(tls) => TlsAcceptor::from(Arc::new(tls)),
        Err(error) => return log(&format!("no TLS: {error}")),
    };
    let modules = Arc::new(modules);
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut looks = interval(CERTIFICATE_INTERVAL);
    let mut stopped = std::pin::pin!(stopped);
    loop {
        let stream = tokio::select! {
            () = &mut stopped => break,
            _ = looks.tick() => {
                follow(&certificate);
                continue;
            }
            accepted = accept(&listener, &connections) => accepted,
        };
        let Some((stream, permit)) = stream else { continue };
        let (acceptor, modules) = (acceptor.clone(), Arc::clone(&modules));
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let _permit = permit;
            // A client without TLS is no API server.
            let Ok(Ok(stream)) = timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await else {
                return;
            };
            let service = service_fn(move |request| answer_in_time(request, Arc::clone(&modules)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIME)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off has told the API server's log already.
            let _ = watcher.watch(connection).await;
        });
    }
    drop(listener);
    let _ = timeout(GRACE, graceful.shutdown()).await;
}

/// The next connection, when there may be one more.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            // Out of file descriptors, most likely; at once it would fail again.
            log(&format!("no connection: {error}"));
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

fn follow(certificate: &Certificate) {
    match certificate.refresh() {
        Ok(false) => {}
        Ok(true) => log("the certificate was read again"),
        Err(problem) => log(&format!("{problem}; the certificate before is still used")),
    }
}

async fn answer_in_time(
    request: Request<Incoming>,
    modules: Arc<Modules>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answer = timeout(REQUEST_TIME, answer(request, modules)).await;
    Ok(answer.unwrap_or_else(|_| text(StatusCode::REQUEST_TIMEOUT, "the request took too long\n")))
}

async fn answer(request: Request<Incoming>, modules: Arc<Modules>) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/validate") => validate(request, modules).await,
        (&Method::GET, "/healthz") => text(StatusCode::OK, "ok\n"),
        (_, "/validate" | "/healthz") => {
            text(StatusCode::METHOD_NOT_ALLOWED, "POST /validate, GET /healthz\n")
        }
        _ => text(StatusCode::NOT_FOUND, "POST /validate, GET /healthz\n"),
    }
}

async fn validate(request: Request<Incoming>, modules: Arc<Modules>) -> Response<Full<Bytes>> {
    const TOO_LARGE: &str = "expected at most 8 MiB\n";
    // What is announced to be too large is not waited for.
    if request.body().size_hint().lower() > MAX_BODY as u64 {
        return text(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE);
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
        return text(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE);
    };
    let body = body.to_bytes();
    // A document of 1 MiB takes a while, and must not hold up the others.
    let judged = tokio::task::spawn_blocking(move || review::answer(&body, &modules)).await;
    match judged {
        Ok(Ok((answer, line))) => {
            if let Some(line) = line {
                log(&line);
            }
            let mut response = Response::new(Full::new(answer.into()));
            let json = header::HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
        Ok(Err(error)) => text(StatusCode::BAD_REQUEST, &format!("{error}\n")),
        // The API server lets the resource pass then (`failurePolicy: Ignore`).
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the check failed; please report it\n"),
    }
}

fn text(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    response
}

fn log(line: &str) {
    eprintln!("jwt-rbac: {}", crate::usage::without_control_characters(line));
}
