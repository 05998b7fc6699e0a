//! A headless Chromium, told what to do over its `DevTools` protocol: JSON, each message ended by a zero
//! byte, on two pipes (`--remote-debugging-pipe`).

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const WAIT: Duration = Duration::from_secs(20);

/// A browser with one page.
pub struct Chromium {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: Cell<u64>,
    session: Option<String>,
    /// What the page has said to the console, and what it was refused.
    pub complaints: Vec<Value>,
    profile: std::path::PathBuf,
}

impl Chromium {
    /// Starts one with a profile of its own, below `folder`.
    pub fn start(folder: &std::path::Path) -> Self {
        let profile = folder.join("profile");
        // It reads commands from descriptor 3 and answers on 4.
        let script = "exec chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage \
                      --remote-debugging-pipe --user-data-dir=\"$1\" about:blank 3<&0 4>&1 >/dev/null 2>&1";
        let mut process = Command::new("sh")
            .args(["-c", script, "chromium"])
            .arg(&profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let (number, session, complaints) = (Cell::new(0), None, Vec::new());
        let mut browser = Self { process, input, output, number, session, complaints, profile };
        let targets = browser.call("Target.getTargets", &json!({}));
        let targets = targets["targetInfos"].as_array().expect("targets");
        let page = targets.iter().find(|it| it["type"] == "page").expect("a page");
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", &attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Sends a command and waits for its answer.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.try_call(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&mut self, method: &str, parameters: &Value) -> Result<Value, Value> {
        let number = self.number.get() + 1;
        self.number.set(number);
        let mut message = json!({"id": number, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let sent = self.input.write_all(format!("{message}\0").as_bytes());
        sent.and_then(|()| self.input.flush())
            .expect("chromium runs (Debian: apt-get install chromium)");
        loop {
            let mut bytes = Vec::new();
            let read = self.output.read_until(0, &mut bytes).expect("an answer");
            assert!(read > 0, "chromium has ended (Debian: apt-get install chromium)");
            bytes.pop();
            let message: Value = serde_json::from_slice(&bytes).expect("JSON");
            if message["id"] == number {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.note(message);
        }
    }

    fn note(&mut self, message: Value) {
        let is_complaint = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => message["params"]["entry"]["level"] == "error",
            Some("Network.requestWillBeSent") => {
                let url = message["params"]["request"]["url"].as_str().unwrap_or_default();
                !url.starts_with("file:") && !url.starts_with("data:") && !url.starts_with("blob:")
            }
            _ => false,
        };
        if is_complaint {
            self.complaints.push(message);
        }
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        self.try_value(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    fn try_value(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.try_call("Runtime.evaluate", &parameters)?;
        match answer.get("exceptionDetails") {
            Some(exception) => Err(exception.clone()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression is true. While a page is loaded, it has no value.
    pub fn wait_until(&mut self, expression: &str) {
        let deadline = Instant::now() + WAIT;
        while self.try_value(expression) != Ok(json!(true)) {
            let complaints = &self.complaints;
            assert!(Instant::now() < deadline, "{expression} is not true: {complaints:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Opens a page and waits until it is ready.
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", &json!({"url": url}));
        self.wait_until("document.documentElement?.dataset.ready === 'true'");
    }

    /// Leaves the page, so that the next one is another.
    pub fn leave(&mut self) {
        self.call("Page.navigate", &json!({"url": "about:blank"}));
        self.wait_until("location.href === 'about:blank'");
    }

    /// Writes a text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({"text": text}));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str, code: u32) {
        for kind in ["rawKeyDown", "keyUp"] {
            let parameters =
                json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", &parameters);
            if kind == "rawKeyDown" && key == "Enter" {
                let typed = json!({"type": "char", "text": "\r", "key": key, "code": key});
                self.call("Input.dispatchKeyEvent", &typed);
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
