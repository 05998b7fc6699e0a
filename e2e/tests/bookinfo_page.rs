//! The page of `make run`, as a reader sees it: the requests that it makes, and in a browser
//! (`make test-page`).

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jwt_rbac_e2e::client::Request;
use serde_json::Value;

/// `make run` on free ports, until the test ends. There is one at a time: all have one directory.
struct Bookinfo {
    process: Child,
    page: SocketAddr,
    _only: MutexGuard<'static, ()>,
}

static ONLY: Mutex<()> = Mutex::new(());

impl Bookinfo {
    fn start() -> Self {
        let only = ONLY.lock().unwrap_or_else(PoisonError::into_inner);
        let mut process = Command::new(env!("CARGO_BIN_EXE_bookinfo"))
            .arg("--free-ports")
            .stdout(Stdio::piped())
            .spawn()
            .expect("bookinfo runs");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let page = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let address = line.strip_prefix("The page: http://")?.split('/').next()?.to_owned();
            address.parse().ok()
        });
        // What follows is not read, so it must have a reader.
        thread::spawn(move || lines.for_each(drop));
        Self { process, page: page.expect("the address of the page"), _only: only }
    }

    fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let request = Request::get(path);
        let request = token.into_iter().fold(request, Request::bearer);
        let response = request.send(self.page).expect("an answer");
        (response.status, response.text())
    }
}

impl Drop for Bookinfo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const DETAILS: &str = "/api/v1/products/0";
const REVIEWS: &str = "/api/v1/products/0/reviews";

#[test]
fn the_page_gets_what_its_reader_may_see() {
    let bookinfo = Bookinfo::start();
    let (status, page) = bookinfo.get("/productpage?u=user", None);
    assert_eq!(status, 200);
    assert!(page.contains("<title>Simple Bookstore App</title>") && page.contains(REVIEWS));
    for (user, details, reviews) in [
        (None, 403, 403),
        (Some("user"), 200, 403),
        (Some("moderator"), 200, 200),
        (Some("expired"), 401, 401),
    ] {
        let token = user.map(|user| {
            let (status, body) = bookinfo.get(&format!("/login?user={user}"), None);
            assert_eq!(status, 200, "{body}");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            body["access_token"].as_str().expect("a token").to_owned()
        });
        let statuses = [DETAILS, REVIEWS].map(|path| bookinfo.get(path, token.as_deref()).0);
        assert_eq!(statuses, [details, reviews], "{user:?}");
    }
    assert_eq!(bookinfo.get("/login?user=root", None).0, 404);
    assert_eq!(bookinfo.get(DETAILS, None).1, "RBAC: access denied");
}

#[test]
fn nothing_is_left_when_it_is_terminated() {
    let mut bookinfo = Bookinfo::start();
    let id = bookinfo.process.id().to_string();
    let sent = Command::new("kill").args(["-s", "TERM", &id]).status().expect("kill runs");
    assert!(sent.success());
    bookinfo.process.wait().expect("it ends");
    // Envoy is told by the kernel, and then ends in its own time.
    let deadline = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(bookinfo.page).is_ok() {
        assert!(Instant::now() < deadline, "Envoy still listens on {}", bookinfo.page);
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs Chromium: make test-page"]
fn a_browser_shows_it() {
    let bookinfo = Bookinfo::start();
    for (user, details, reviews) in [
        ("anonymous", "403 RBAC: access denied", "403 RBAC: access denied"),
        ("user", "William Shakespeare", "403 RBAC: access denied"),
        ("moderator", "William Shakespeare", "An extremely entertaining play by Shakespeare."),
        ("expired", "401 Jwt is expired", "401 Jwt is expired"),
    ] {
        let url = format!("http://{}/productpage?u={user}", bookinfo.page);
        let output = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000"])
            .args(["--dump-dom", &url])
            .output()
            .expect("chromium runs (Debian: apt-get install chromium)");
        let page = String::from_utf8_lossy(&output.stdout).into_owned();
        for (id, wanted) in [("details", details), ("reviews", reviews)] {
            let (_, shown) = page.split_once(&format!("<pre id=\"{id}\"")).expect("the place");
            let (shown, _) = shown.split_once("</pre>").expect("its end");
            assert!(shown.contains(wanted), "{user}: {id}: {shown}");
        }
        let button = format!("data-user=\"{user}\" aria-pressed=\"true\"");
        assert!(page.contains(&button), "{user}: {page}");
    }
}
