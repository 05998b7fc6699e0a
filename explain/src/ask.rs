//! A request as people write it.

use serde_json::{Map, Value};

use crate::header;
use crate::peer::Peer;
use crate::policy::Policy;
use crate::token::{self, Placed};

/// A request to ask a policy about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ask {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its host; `None` for one that the policy has routes for.
    pub host: Option<String>,
    /// Its headers, in order.
    pub headers: Vec<(String, String)>,
    /// Who sends it.
    pub caller: Caller,
    /// Over which connection.
    pub peer: Peer,
}

/// Who sends a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Caller {
    /// Nobody that it says.
    #[default]
    Anonymous,
    /// The subject of these claims, which a policy that takes every signature believes, with whatever other
    /// tokens the policy requires.
    Claims(Map<String, Value>),
    /// The holder of this token, which is sent where its issuer's are looked for.
    Token(String),
}

impl Ask {
    /// Reads `GET /reviews/7`, `/reviews/7` or `GET https://api.example.com/reviews/7`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (method, target) = match text.trim().split_once(' ') {
            Some((method, target)) => (method, target.trim()),
            None => ("GET", text.trim()),
        };
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
        let url = target.strip_prefix("https://").or_else(|| target.strip_prefix("http://"));
        let (host, target) = match url {
            Some(url) => {
                let end = url.find(['/', '?']).unwrap_or(url.len());
                let (host, target) = url.split_at(end);
                let slash = if target.starts_with('/') { "" } else { "/" };
                (Some(host.to_owned()), format!("{slash}{target}"))
            }
            None => (None, target.to_owned()),
        };
        if !is_method || target.is_empty() {
            return Err(format!("found `{text}`, expected a request such as `GET /reviews/7`"));
        }
        Ok(Self { method: method.to_owned(), target, host, ..Self::default() })
    }

    /// The same sent by somebody.
    #[must_use]
    pub fn by(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// The header lines as Envoy hands them to the filter.
    #[must_use]
    pub fn lines(&self, policy: &Policy, now: u64) -> Vec<header::Line> {
        let host = self.host.clone().unwrap_or_else(|| policy.default_host.clone());
        let mut sent = self.clone();
        match &self.caller {
            Caller::Anonymous => {}
            Caller::Token(token) => sent.send(token::place(policy, &token::payload(token), token)),
            Caller::Claims(claims) => {
                for claims in token::beside(policy, claims).iter().chain([claims]) {
                    let token = token::unsigned(policy, claims, now);
                    sent.send(token::place(policy, claims, &token));
                }
            }
        }
        let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        header::lines(&self.method, &sent.target, &host, headers)
    }

    /// Puts a token into the request.
    pub fn send(&mut self, token: Placed) {
        match token {
            Placed::Header(name, value) => self.headers.push((name, value)),
            Placed::Parameter(parameter) => {
                self.target.push(if self.target.contains('?') { '&' } else { '?' });
                self.target.push_str(&parameter);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ask;

    #[test]
    fn requests_are_read_as_people_write_them() {
        for (text, method, host, target) in [
            ("GET /a?b=c", "GET", None, "/a?b=c"),
            ("/a", "GET", None, "/a"),
            ("POST https://x.test/a/b", "POST", Some("x.test"), "/a/b"),
            ("http://x.test:8080?q", "GET", Some("x.test:8080"), "/?q"),
        ] {
            let ask = Ask::parse(text).unwrap();
            let found = (ask.method.as_str(), ask.host.as_deref(), ask.target.as_str());
            assert_eq!(found, (method, host, target), "{text}");
        }
        assert!(Ask::parse("").is_err());
    }
}
