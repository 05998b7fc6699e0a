//! Policies as a whole: their order, their defaults, and what the host is asked for.

use std::cell::RefCell;

use super::address::IpBlock;
use super::condition::Condition;
use super::condition::Test;
use super::path::PathPattern;
use super::pattern::Pattern;
use super::peer::PeerPattern;
use super::text_test::TextTest;
use super::*;
use crate::authz::regex::Regex;
use crate::query::ParameterName;
use crate::request::{Connection, Header, Property, Unknown};

/// A connection that notes what it is asked for.
#[derive(Debug, Default)]
struct Peer {
    identity: Option<&'static str>,
    fails: bool,
    asked: RefCell<Vec<Property>>,
}

impl Connection for Peer {
    fn property(&self, property: Property) -> Result<Option<Vec<u8>>, Unknown> {
        self.asked.borrow_mut().push(property);
        if self.fails {
            return Err(Unknown);
        }
        Ok(match property {
            Property::PeerIdentity => self.identity.map(|text| text.as_bytes().to_vec()),
            Property::RemoteAddress => Some(b"10.1.2.3:4567".to_vec()),
            Property::LocalAddress => Some(b"[2001:db8::1]:8080".to_vec()),
            Property::ServerName => Some(b"outbound_.80_._.web".to_vec()),
        })
    }
}

fn is(test: Test) -> Condition {
    Condition { test, negated: false }
}

fn not(test: Test) -> Condition {
    Condition { test, negated: true }
}

fn path(text: &str) -> Test {
    Test::Path(vec![PathPattern::parse(text).unwrap()])
}

fn method(text: &str) -> Test {
    Test::Method(vec![Pattern::parse(text)])
}

fn peer(text: &str) -> Test {
    Test::Peer(vec![PeerPattern::Principal(Pattern::parse(text))])
}

fn to(conditions: Vec<Condition>) -> Rule {
    Rule { to: vec![conditions], ..Rule::default() }
}

fn from(condition: Condition) -> Rule {
    Rule { from: vec![vec![condition]], ..Rule::default() }
}

fn policy(name: &str, action: Action, rules: Vec<Rule>) -> Policy {
    let (namespace, dry_run) = Default::default();
    Policy { name: name.to_owned(), namespace, action, dry_run, rules }
}

/// What policies say of `GET` and a path: the slug, and the policy.
fn judge(policies: Vec<Policy>, path: &str, connection: &Peer) -> Option<(&'static str, String)> {
    let headers: [Header<'_>; 3] =
        [(b":method", b"GET"), (b":path", path.as_bytes()), (b":authority", b"Web:80")];
    let request = Request::read(&headers).unwrap().with_connection(connection);
    let policies = Policies::new(policies);
    let denial = policies.judge(&request, None).denial?;
    let name = match denial.detail {
        Detail::Policy(policy) => policy.name.clone(),
        _ => String::new(),
    };
    Some((denial.refusal.slug(), name))
}

fn slug(policies: Vec<Policy>, path: &str) -> Option<&'static str> {
    judge(policies, path, &Peer::default()).map(|(slug, _)| slug)
}

#[test]
fn deny_comes_before_allow_and_nothing_allows_everything() {
    let deny = || policy("no", Action::Deny, vec![to(vec![is(path("/admin"))])]);
    let allow = || policy("yes", Action::Allow, vec![to(vec![is(path("/a*"))])]);
    assert_eq!(slug(vec![], "/x"), None);
    assert_eq!(slug(vec![deny()], "/x"), None);
    assert_eq!(slug(vec![deny(), allow()], "/a"), None);
    assert_eq!(slug(vec![deny(), allow()], "/admin"), Some("policy_denied"));
    assert_eq!(slug(vec![deny(), allow()], "/admin?x=1"), Some("policy_denied"));
    assert_eq!(slug(vec![deny(), allow()], "/admin#x"), Some("policy_denied"));
    assert_eq!(slug(vec![deny(), allow()], "/x"), Some("policy_unmatched"));
}

#[test]
fn no_rules_match_nothing_and_an_empty_rule_everything() {
    assert_eq!(slug(vec![policy("a", Action::Allow, vec![])], "/"), Some("policy_unmatched"));
    assert_eq!(slug(vec![policy("a", Action::Allow, vec![Rule::default()])], "/"), None);
    let all = vec![policy("a", Action::Deny, vec![Rule::default()])];
    assert_eq!(slug(all, "/"), Some("policy_denied"));
    assert_eq!(slug(vec![policy("a", Action::Audit, vec![Rule::default()])], "/"), None);
}

#[test]
fn dry_runs_count_last() {
    let dry = |policy: Policy| Policy { dry_run: true, ..policy };
    let everything = || vec![Rule::default()];
    let deny = |name| policy(name, Action::Deny, everything());
    let denied = judge(vec![dry(deny("a")), deny("b")], "/", &Peer::default());
    assert_eq!(denied, Some(("policy_denied", "b".to_owned())));
    let denied = judge(vec![dry(deny("a"))], "/", &Peer::default());
    assert_eq!(denied, Some(("policy_denied", "a".to_owned())));
    let nothing = dry(policy("none", Action::Allow, vec![]));
    let denied = judge(vec![nothing], "/", &Peer::default());
    assert_eq!(denied, Some(("policy_unmatched", "none".to_owned())));
    let nothing = dry(policy("none", Action::Allow, vec![]));
    let all = policy("all", Action::Allow, everything());
    assert_eq!(judge(vec![nothing, all], "/", &Peer::default()), None);
}

#[test]
fn the_first_name_is_the_one_that_is_told() {
    let deny = |name| policy(name, Action::Deny, vec![Rule::default()]);
    let denied = judge(vec![deny("b"), deny("a")], "/", &Peer::default());
    assert_eq!(denied, Some(("policy_denied", "a".to_owned())));
}

#[test]
fn without_a_peer_only_negated_fields_hold() {
    for (condition, expected) in [(is(peer("*")), false), (not(peer("a/*")), true)] {
        let deny = vec![policy("a", Action::Deny, vec![from(condition.clone())])];
        assert_eq!(slug(deny, "/").is_some(), expected);
        let allow = vec![policy("a", Action::Allow, vec![from(condition)])];
        assert_eq!(slug(allow, "/").is_none(), expected);
    }
}

#[test]
fn white_space_around_a_header_hides_nothing() {
    let evil = is(Test::Header("x-tenant".to_owned(), TextTest::One(vec![Pattern::parse("evil")])));
    let policies = Policies::new(vec![policy("a", Action::Deny, vec![to(vec![evil])])]);
    for (value, expected) in
        [("evil", true), (" evil", true), ("evil\t ", true), ("e vil", false), ("evil.", false)]
    {
        let headers: [Header<'_>; 3] =
            [(b":method", b"GET"), (b":path", b"/"), (b"x-tenant", value.as_bytes())];
        let request = Request::read(&headers).unwrap();
        assert_eq!(policies.judge(&request, None).denial.is_some(), expected, "{value:?}");
    }
}

#[test]
fn the_connection_is_asked_only_where_it_can_still_decide() {
    let connection = Peer { identity: Some("spiffe://td/ns/a/sa/b"), ..Peer::default() };
    let rule = || Rule {
        from: vec![vec![is(peer("td/ns/a/sa/b"))]],
        to: vec![vec![is(path("/admin"))]],
        when: vec![],
    };
    let deny = || vec![policy("a", Action::Deny, vec![rule(), rule()])];
    assert_eq!(judge(deny(), "/x", &connection), None);
    assert_eq!(*connection.asked.borrow(), []);
    assert!(judge(deny(), "/admin", &connection).is_some());
    assert_eq!(*connection.asked.borrow(), [Property::PeerIdentity]);
}

#[test]
fn a_host_that_can_not_say_lets_nobody_in() {
    let connection = Peer { fails: true, ..Peer::default() };
    let allow = vec![policy("a", Action::Allow, vec![from(not(peer("td/*")))])];
    let denied = judge(allow, "/", &connection);
    assert_eq!(denied, Some(("host_failure", String::new())));
}

#[test]
fn addresses_come_from_the_connection() {
    let block = |text| vec![IpBlock::parse(text).unwrap()];
    for (test, expected) in [
        (Test::RemoteIp(block("10.0.0.0/8")), true),
        (Test::RemoteIp(block("11.0.0.0/8")), false),
        (Test::LocalIp(block("2001:db8::/32")), true),
        (Test::Port(vec![80, 8080]), true),
        (Test::Port(vec![80]), false),
        (Test::ServerName(vec![Pattern::parse("outbound_*")]), true),
    ] {
        let deny = vec![policy("a", Action::Deny, vec![to(vec![is(test.clone())])])];
        let found = judge(deny, "/", &Peer::default());
        assert_eq!(found.is_some(), expected, "{test:?}");
    }
}

/// Whether `GET` with this query is denied by a policy with this condition, for ALLOW and for DENY.
fn denied(condition: &Condition, query: &str) -> [bool; 2] {
    let target = ["/?", query].concat();
    [Action::Allow, Action::Deny].map(|action| {
        let rule = Rule { when: vec![condition.clone()], ..Rule::default() };
        slug(vec![policy("a", action, vec![rule])], &target).is_some()
    })
}

#[test]
fn what_can_be_read_in_two_ways_is_denied_by_each_action() {
    let tenant = |test| Test::Parameter(ParameterName::new("tenant"), test);
    let acme = || tenant(TextTest::One(vec![Pattern::parse("acme")]));
    let regex = || tenant(TextTest::Regex(Regex::parse("ac.e").unwrap()));
    for (condition, query, expected) in [
        (is(acme()), "tenant=acme", [false, true]),
        (is(acme()), "tenant=other", [true, false]),
        (is(acme()), "", [true, false]),
        (not(acme()), "tenant=acme", [true, false]),
        (not(acme()), "tenant=other", [false, true]),
        (not(acme()), "", [false, true]),
        (is(acme()), "tenant=acme&tenant=x", [true, true]),
        (not(acme()), "tenant=x&tenant=y", [true, true]),
        (not(acme()), "Tenant=acme", [true, true]),
        (is(regex()), "tenant=acme", [false, true]),
        (is(regex()), "tenant=acmes", [true, false]),
        (not(regex()), "tenant=acme", [true, false]),
        (is(tenant(TextTest::present())), "tenant=", [false, true]),
        (is(tenant(TextTest::present())), "", [true, false]),
        (not(tenant(TextTest::present())), "", [false, true]),
    ] {
        assert_eq!(denied(&condition, query), expected, "{condition:?} {query}");
    }
}

#[test]
fn a_line_too_long_for_a_regular_expression_is_denied_by_each_action() {
    let long = "a".repeat(9_000);
    let regex =
        || Test::Parameter(ParameterName::new("q"), TextTest::Regex(Regex::parse("b").unwrap()));
    for condition in [is(regex()), not(regex())] {
        assert_eq!(denied(&condition, &["q=", &long].concat()), [true, true]);
    }
}

#[test]
fn the_index_finds_what_going_through_all_rules_finds() {
    let tests = [
        path("/a/b"),
        path("/a/*"),
        path("/a*"),
        path("*"),
        path("*/b"),
        path("/{*}/b"),
        path("/a/{**}"),
        path("/a/b/*"),
        path("/a/b/c/{*}"),
        path("/a//*"),
        path("/1/2/3/4/5/6/7/8/9/*"),
        Test::Host(vec![Pattern::parse("web:80")]),
        Test::Host(vec![Pattern::parse("web")]),
        Test::Host(vec![Pattern::parse("*")]),
        method("GET"),
        method("POST"),
        method("G*"),
    ];
    for first in &tests {
        for second in &tests {
            for path in [
                "/a/b",
                "/a",
                "/a/c",
                "/b",
                "/",
                "/a/b/c",
                "/a/b/c/d",
                "/a//b",
                "/1/2/3/4/5/6/7/8/9/10",
                "/1/2/3/4/5/6/7/8/9",
            ] {
                for (first, second) in [
                    (is(first.clone()), is(second.clone())),
                    (not(first.clone()), is(second.clone())),
                ] {
                    let headers: [Header<'_>; 3] = [
                        (b":method", b"GET"),
                        (b":path", path.as_bytes()),
                        (b":authority", b"Web:80"),
                    ];
                    let request = Request::read(&headers).unwrap();
                    let subject = Subject::new(&request, None);
                    let expected = first.holds(&subject, true) && second.holds(&subject, true);
                    let message = format!("{first:?} {second:?} {path}");
                    let deny = policy("a", Action::Deny, vec![to(vec![first, second])]);
                    assert_eq!(slug(vec![deny], path).is_some(), expected, "{message}");
                }
            }
        }
    }
}

#[test]
fn a_report_is_told_every_rule_that_matches() {
    let rules = || vec![to(vec![is(path("/b"))]), to(vec![is(path("/a"))]), Rule::default()];
    let policies = Policies::new(vec![
        policy("allow", Action::Allow, rules()),
        policy("deny", Action::Deny, rules()),
        Policy { dry_run: true, ..policy("dry", Action::Deny, rules()) },
        policy("audit", Action::Audit, Vec::new()),
    ]);
    let headers: [Header<'_>; 3] = [(b":method", b"GET"), (b":path", b"/a"), (b":authority", b"b")];
    let request = Request::read(&headers).unwrap();
    let matching = policies.matching(&request, None);
    let matching: Vec<_> = matching.iter().map(|(policy, rule)| (&*policy.name, *rule)).collect();
    let expected = [("deny", 1), ("deny", 2), ("allow", 1), ("allow", 2), ("dry", 1), ("dry", 2)];
    assert_eq!(matching, expected);
    assert_eq!(policies.all().count(), 4);
}
