//! Requests that were recorded: what would become of them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::ask::{Ask, Caller};
use crate::outcome;
use crate::policy::Policy;

/// How many requests are shown of those that end alike.
const SAMPLES: usize = 3;

/// A request that was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The request.
    pub ask: Ask,
    /// When it was sent, in seconds since 1970.
    pub at: Option<u64>,
}

/// What was recorded, and how much of it is no request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The requests.
    pub requests: Vec<Recorded>,
    /// How many lines or entries could not be read.
    pub skipped: usize,
}

/// What would become of recorded requests.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many there are.
    pub requests: usize,
    /// How many of them pass.
    pub allowed: usize,
    /// The others, the most frequent first.
    pub denied: Vec<Denied>,
    /// How many lines or entries could not be read.
    pub skipped: usize,
}

/// Requests that are denied for one reason at one route.
#[derive(Clone, Debug, Serialize)]
pub struct Denied {
    /// How many there are.
    pub requests: usize,
    /// The status of the reply; that of the denial where a dry run lets the request pass.
    pub status: u16,
    /// The word for the reason.
    pub reason: &'static str,
    /// The route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The first few.
    pub samples: Vec<String>,
}

/// Reads an HTTP Archive, as browsers export it.
///
/// # Errors
/// What was expected.
pub fn from_har(text: &str) -> Result<Traffic, String> {
    let har: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let Some(entries) = har["log"]["entries"].as_array() else {
        return Err("has no `log.entries`; expected an HTTP Archive (HAR)".to_owned());
    };
    let mut traffic = Traffic::default();
    for entry in entries {
        let request = &entry["request"];
        let line = request["method"].as_str().zip(request["url"].as_str());
        let ask = line.and_then(|(method, url)| Ask::parse(&format!("{method} {url}")).ok());
        let Some(ask) = ask else {
            traffic.skipped += 1;
            continue;
        };
        let headers = request["headers"].as_array().into_iter().flatten();
        let headers = headers.filter_map(|header| {
            let (name, value) = header["name"].as_str().zip(header["value"].as_str())?;
            // A browser lists the pseudo headers of HTTP/2 too.
            (!name.starts_with(':')).then(|| (name.to_owned(), value.to_owned()))
        });
        let ask = Ask { headers: headers.collect(), ..ask };
        traffic.requests.push(Recorded { ask, at: time(&entry["startedDateTime"]) });
    }
    Ok(traffic)
}

/// Reads an access log of Envoy in JSON, one object a line, with the names of Istio's default format.
#[must_use]
pub fn from_access_log(text: &str) -> Traffic {
    let mut traffic = Traffic::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Value = serde_json::from_str(line).unwrap_or_default();
        let method = entry["method"].as_str().filter(|method| *method != "-");
        let path = entry["path"].as_str().filter(|path| path.starts_with('/'));
        let Some((method, path)) = method.zip(path) else {
            traffic.skipped += 1;
            continue;
        };
        let host = entry["authority"].as_str().filter(|host| !matches!(*host, "" | "-"));
        let ask = Ask {
            method: method.to_owned(),
            target: path.to_owned(),
            host: host.map(str::to_owned),
            ..Ask::default()
        };
        traffic.requests.push(Recorded { ask, at: time(&entry["start_time"]) });
    }
    traffic
}

/// Decides about everything that was recorded. `caller` sends those requests that bring no token of their
/// own; each is decided when it was sent, or at `now`.
#[must_use]
pub fn summarize(policy: &Policy, traffic: &Traffic, caller: &Caller, now: u64) -> Summary {
    let mut allowed = 0;
    let mut groups: BTreeMap<_, (usize, Vec<String>)> = BTreeMap::new();
    for Recorded { ask, at } in &traffic.requests {
        let has_token =
            ask.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let caller = if has_token { Caller::Anonymous } else { caller.clone() };
        let ask = ask.clone().by(caller);
        let outcome = outcome(policy, &ask, at.unwrap_or(now));
        let Some(refusal) = outcome.refusal else {
            allowed += 1;
            continue;
        };
        let status = outcome.status.unwrap_or(refusal.status());
        let (count, samples) = groups.entry((status, refusal.slug(), outcome.rule)).or_default();
        *count += 1;
        let path = ask.target.split('?').next().unwrap_or_default();
        let sample = format!("{} {path}", ask.method);
        if samples.len() < SAMPLES && !samples.contains(&sample) {
            samples.push(sample);
        }
    }
    let denied = groups.into_iter().map(|((status, reason, rule), (requests, samples))| Denied {
        requests,
        status,
        reason,
        rule,
        samples,
    });
    let mut denied: Vec<_> = denied.collect();
    denied.sort_by_key(|denied| std::cmp::Reverse(denied.requests));
    Summary { requests: traffic.requests.len(), allowed, denied, skipped: traffic.skipped }
}

/// A time as `2026-01-01T00:00:00.000Z`, in seconds since 1970.
fn time(value: &Value) -> Option<u64> {
    let time = humantime::parse_rfc3339_weak(value.as_str()?).ok()?;
    Some(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::Signatures;

    fn policy() -> Policy {
        let config = json!({"routes": [
            {"name": "public", "paths": ["/a"], "access": "PUBLIC"},
            {"name": "closed", "paths": ["/b/{**}"], "access": "DENIED"},
        ]});
        Policy::compile(config, Signatures::Assumed, None).unwrap()
    }

    #[test]
    fn an_archive_and_a_log_are_summed_up_alike() {
        let har = json!({"log": {"entries": [
            {"startedDateTime": "2026-01-01T00:00:00.000Z",
             "request": {"method": "GET", "url": "https://x.test/a?q", "headers": [{"name": ":path", "value": "/"}]}},
            {"request": {"method": "GET", "url": "https://x.test/b/1", "headers": []}},
            {"request": {"method": "GET", "url": "https://x.test/b/2", "headers": []}},
            {"request": {"method": "GET", "url": "https://x.test/c", "headers": []}},
            {},
        ]}});
        let log = "{\"method\":\"GET\",\"path\":\"/a?q\",\"authority\":\"x.test\",\"start_time\":\"2026-01-01T00:00:00.000Z\"}\n\
                   {\"method\":\"GET\",\"path\":\"/b/1\",\"authority\":\"x.test\"}\n\
                   {\"method\":\"GET\",\"path\":\"/b/2\",\"authority\":\"x.test\"}\n\
                   {\"method\":\"GET\",\"path\":\"/c\",\"authority\":\"x.test\"}\nno JSON\n";
        let from_har = from_har(&har.to_string()).unwrap();
        let from_log = from_access_log(log);
        assert_eq!(from_har, from_log);
        assert_eq!(from_har.requests[0].at, Some(1_767_225_600));
        let summary = summarize(&policy(), &from_har, &Caller::Anonymous, 0);
        assert_eq!((summary.requests, summary.allowed, summary.skipped), (4, 1, 1));
        let [closed, unmatched] = summary.denied.as_slice() else { panic!("{summary:?}") };
        assert_eq!((closed.requests, closed.reason), (2, "route_denied"));
        assert_eq!(closed.samples, ["GET /b/1", "GET /b/2"]);
        assert_eq!((unmatched.requests, unmatched.reason), (1, "route_unmatched"));
    }
}
