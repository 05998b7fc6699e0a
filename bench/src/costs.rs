//! `make costs`: listeners each of which does one thing more than another, so that their difference
//! is what that thing costs.

use std::path::Path;

use serde_json::{Value, json};

use super::callers::Callers;
use super::listeners::Chain;
use super::policy;
use super::round::Results;
use super::statistics::{self, Estimate};
use super::suite::{CacheUse, ROUTES, Request, Suite};
use super::verify_signature;
use jwt_rbac_e2e::artifacts;

/// The listeners that are measured, and what their differences are.
#[derive(Clone, Debug)]
pub struct Costs {
    /// The listeners; the fields below name them by their place.
    pub suite: Suite,
    /// What a request pays for.
    pub steps: Vec<Step>,
    /// The total for each kind of request.
    pub cases: Vec<Case>,
}

/// What one listener does more than another.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its title in the table.
    pub title: &'static str,
    without: usize,
    with: usize,
}

/// A kind of request.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its title in the table.
    pub title: &'static str,
    plain: usize,
    native: usize,
    /// Each does one thing more than the one before it; the last is our filter.
    stack: Vec<(Part, usize)>,
}

/// What a part of a bar shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Entering the VM.
    Entry,
    /// Fetching the headers.
    Headers,
    /// Asking for the time.
    Time,
    /// Removing the token.
    Removal,
    /// Envoy's check of the signature.
    Signature,
    /// Values for access logs and the local reply.
    Reply,
    /// Our code.
    Ours,
}

impl Part {
    /// All of them, in the order in which they are stacked.
    pub const ALL: [Self; 7] = [
        Self::Entry,
        Self::Headers,
        Self::Time,
        Self::Removal,
        Self::Signature,
        Self::Reply,
        Self::Ours,
    ];
}

impl Step {
    /// What it costs, in microseconds.
    pub fn cost(&self, results: &Results) -> Estimate {
        statistics::difference(&results.costs[self.without], &results.costs[self.with])
    }
}

impl Case {
    /// What each part costs, in microseconds.
    pub fn parts(&self, results: &Results) -> Vec<(Part, f64)> {
        let mut before = self.plain;
        let mut cost = |&(part, with): &(Part, usize)| {
            let costs = [before, with].map(|place| &results.costs[place]);
            before = with;
            (part, statistics::difference(costs[0], costs[1]).value)
        };
        self.stack.iter().map(&mut cost).collect()
    }

    /// What the calls to Envoy alone cost, in microseconds.
    pub fn floor(&self, results: &Results) -> Estimate {
        self.over_plain(results, self.stack[self.stack.len() - 2].1)
    }

    /// What our filter costs.
    pub fn ours(&self, results: &Results) -> Estimate {
        self.over_plain(results, self.stack[self.stack.len() - 1].1)
    }

    /// What the native pair costs.
    pub fn native(&self, results: &Results) -> Estimate {
        self.over_plain(results, self.native)
    }

    fn over_plain(&self, results: &Results, place: usize) -> Estimate {
        statistics::difference(&results.costs[self.plain], &results.costs[place])
    }
}

impl Costs {
    /// Everything that is measured, with the module of `jwt-rbac-floor`.
    pub fn new(floor: &Path) -> Self {
        let mut suite = Suite::default();
        let keys = artifacts::jwks();
        let document = policy::document(ROUTES, &keys);
        let seen = Request::seen("seen", policy::permitted_path(ROUTES));
        let denied = Request::seen("denied", policy::forbidden_path());
        let unseen = Request::unseen("unseen RS256", Callers::RS256);
        let unseen_es256 = Request::unseen("unseen ES256", Callers::ES256);

        let plain = suite.plain(&seen);
        let mut steps = Steps(Vec::new());
        let mut measure = |name: &'static str, steps: &Steps, request: &Request, status: u16| {
            suite.floor(name, request, floor, steps.0.clone().into(), status)
        };
        let nothing = measure("floor", &steps, &seen, 200);
        let header = measure("floor of one header", &steps.and(["header"]), &seen, 200);
        steps = steps.and(["headers"]);
        let headers = measure("floor of headers", &steps, &seen, 200);
        steps = steps.and(["time"]);
        let time = measure("floor of headers and time", &steps, &seen, 200);
        let counted = steps.and(["count", "count"]);
        let counters = measure("floor of headers time and counters", &counted, &seen, 200);
        let values = steps.and([filter_state()]);
        let filter_state = measure("floor of a denial unanswered", &values, &seen, 200);
        let reply = values.and(["local_reply"]);
        let reply = measure("floor of a denial", &reply, &seen, 403);
        steps = steps.and(["remove"]);
        let removal = measure("floor of a seen token", &steps, &seen, 200);
        let verified = steps.and([json!({"verify": verify_signature::arguments("RS256")})]);
        let rs256 = measure("floor of an unseen token", &verified, &unseen, 200);
        let removal_es256 = measure("floor of a seen token", &steps, &unseen_es256, 200);
        let verified = steps.and([json!({"verify": verify_signature::arguments("ES256")})]);
        let es256 = measure("floor of an unseen token", &verified, &unseen_es256, 200);

        let mut no_routes = document.clone();
        no_routes.as_object_mut().expect("a document is an object").remove("routes");
        let without_routes = Request { name: "seen without routes", ..seen.clone() };
        let ours_without_routes = suite.ours(&without_routes, no_routes, 200, CacheUse::Hits);
        let ours_seen = suite.ours(&seen, document.clone(), 200, CacheUse::Hits);
        let ours_unseen = suite.ours(&unseen, document.clone(), 200, CacheUse::Misses);
        let ours_es256 = suite.ours(&unseen_es256, document.clone(), 200, CacheUse::Misses);
        let ours_denied = suite.ours(&denied, document.clone(), 403, CacheUse::Hits);
        // The pair caches nothing, so a token that was seen before costs it the same.
        let native = suite.native(&seen, Chain::Native(document.clone()), 200);
        let native_denied = suite.native(&denied, Chain::Native(document), 403);

        let step = |title, without, with| Step { title, without, with };
        let steps = vec![
            step("entering the VM: start of the stream, request headers, end", plain, nothing),
            step("fetching one header by its name (ours does not)", nothing, header),
            step("fetching all headers", nothing, headers),
            step("asking for the time", headers, time),
            step("adding to two counters (ours does not, but ten times a second)", time, counters),
            step("removing `authorization`, and choosing the route again", time, removal),
            step("our code, token seen before", removal, ours_seen),
            step("of that, `routes`", ours_without_routes, ours_seen),
            step("Envoy's `verify_signature`, RS256", removal, rs256),
            step("our code, token not seen before, RS256", rs256, ours_unseen),
            step("Envoy's `verify_signature`, ES256", removal_es256, es256),
            step("our code, token not seen before, ES256", es256, ours_es256),
            step("denial: the value for access logs", time, filter_state),
            step("denial: the local reply, instead of going on", filter_state, reply),
            step("our code, denial", reply, ours_denied),
        ];
        let common = [
            (Part::Entry, nothing),
            (Part::Headers, headers),
            (Part::Time, time),
            (Part::Removal, removal),
            (Part::Signature, rs256),
        ];
        let case = |title, native, common: &[_], last: &[_]| {
            let stack = [common, last].concat();
            Case { title, plain, native, stack }
        };
        let cases = vec![
            case("token seen before", native, &common[..4], &[(Part::Ours, ours_seen)]),
            case("token not seen before, RS256", native, &common, &[(Part::Ours, ours_unseen)]),
            case(
                "denied by permission",
                native_denied,
                &common[..3],
                &[(Part::Reply, reply), (Part::Ours, ours_denied)],
            ),
        ];
        Self { suite, steps, cases }
    }
}

/// Steps of the floor.
#[derive(Clone, Debug)]
struct Steps(Vec<Value>);

impl Steps {
    fn and<S: Into<Value>>(&self, further: impl IntoIterator<Item = S>) -> Self {
        let further = further.into_iter().map(Into::into);
        Self(self.0.iter().cloned().chain(further).collect())
    }
}

/// What our filter tells access logs of a denial.
fn filter_state() -> Value {
    let value = "deny permission_missing routes[8] auth0|64f1c2a9e13b5c0d00000000";
    json!({"filter_state": {"name": "jwt_rbac", "value": value}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs() -> Costs {
        Costs::new(Path::new("floor.wasm"))
    }

    #[test]
    fn every_listener_has_a_name_of_its_own() {
        costs().suite.check_names();
    }

    #[test]
    fn the_parts_of_a_request_are_all_that_it_costs() {
        let costs = costs();
        let place = |it: usize| f64::from(u32::try_from(it).unwrap());
        let of = (0..costs.suite.measured.len()).map(|it| vec![place(it) * place(it); 3]);
        let results = Results { costs: of.collect(), least_busy: 1.0 };
        for case in &costs.cases {
            let sum: f64 = case.parts(&results).iter().map(|(_, cost)| cost).sum();
            assert!((sum - case.ours(&results).value).abs() < 1e-9, "{}", case.title);
            let last = case.parts(&results).last().unwrap().1;
            assert!((sum - last - case.floor(&results).value).abs() < 1e-9, "{}", case.title);
        }
    }

    #[test]
    fn steps_differ_in_what_they_say() {
        let costs = costs();
        let steps = |place: usize| match &costs.suite.measured[place].chain {
            Chain::Floor { steps, .. } => Some(steps.as_array().unwrap().clone()),
            _ => None,
        };
        for step in &costs.steps {
            let (Some(without), Some(with)) = (steps(step.without), steps(step.with)) else {
                continue;
            };
            assert!(with.len() > without.len() && with.starts_with(&without), "{}", step.title);
        }
    }
}
