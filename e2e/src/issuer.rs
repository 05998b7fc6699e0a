//! The issuer of `make run`: a client that asks for `/login?user=NAME` gets a token of that caller, without a
//! password. Its keys are those of the tests.

use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use crate::tokens::Recipe;
use crate::wire::Head;

/// A token of a caller of the local Bookinfo: `user`, `moderator`, or `expired`, a user with an old one.
pub fn token_of(caller: &str) -> Option<String> {
    match caller {
        "user" | "moderator" => Some(Recipe::of_caller(caller).mint()),
        "expired" => Some(Recipe::of_caller("user").claim("exp", json!("now-3600")).mint()),
        _ => None,
    }
}

/// Answers on this socket, in threads that end with the process.
pub fn serve(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A browser that goes away in the middle asks again.
            thread::spawn(move || answer(&stream));
        }
    });
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    let Some(head) = Head::read(&mut BufReader::new(stream))? else { return Ok(()) };
    let target = head.start.split(' ').nth(1).unwrap_or_default();
    let token = target.strip_prefix("/login?user=").and_then(token_of);
    let (status, body) = match token {
        Some(token) => ("200 OK", json!({"access_token": token, "token_type": "Bearer"})),
        None => ("404 Not Found", json!({"error": "unknown user"})),
    };
    let body = body.to_string();
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}
