//! `routes`: from the schema to the [`RouteTable`].

use super::checks::{self, UniqueNames};
use super::fault::Fault;
use super::fault::table::TableFault;
use super::issuers::KnownIssuers;
use super::place::Place;
use super::problem::Problems;
use super::schema::Route;
use super::shape::{self, Entries};
use super::{access, ambiguity};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authz::hosts::HostPattern;
use jwt_rbac::authz::routes::{self, AmbiguousPaths, RouteKey, RouteTable, Unmatched};
use jwt_rbac::authz::template::Template;
use jwt_rbac::in_order::each_once;

/// How many combinations of host, path and method a table may have. Each takes some hundred bytes,
/// and all documents of a worker share the 1 GiB that Envoy gives to a VM: a document that fits on
/// one worker must fit on each.
const MAX_KEYS: usize = 100_000;

/// What the document says about the table as a whole.
#[derive(Clone, Copy, Debug)]
pub struct TableOptions {
    pub ambiguous_paths: AmbiguousPaths,
    pub unmatched: Unmatched,
}

/// Compiles every entry of `routes` that is well-formed.
#[inline(never)]
pub fn compile(
    place: &Place,
    entries: Entries<Route>,
    options: TableOptions,
    issuers: &KnownIssuers,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) -> RouteTable {
    let decoded = shape::decode_all(place, entries, problems);
    let named_hosts = decoded.iter().any(|(_, route)| route.hosts.is_some());
    let mut table = RouteTable::new(named_hosts, options.ambiguous_paths, options.unmatched);
    let mut names = UniqueNames::default();
    // `None` once there are too many.
    let mut keys_left = Some(MAX_KEYS);
    let mut all_paths = Vec::new();
    for (place, mut route) in decoded {
        if named_hosts && route.hosts.is_none() {
            let expected = "`hosts`, because another route has them; `\"*\"` is any host";
            problems.error(place.clone(), Fault::expected(expected));
        }
        if let Some(name) = &route.name {
            names.add(name, &place, problems);
        }
        let (hosts, templates) = add_route(
            &mut table,
            &mut keys_left,
            &place,
            &mut route,
            issuers,
            authenticator,
            problems,
        );
        all_paths.push(ambiguity::Paths { place, hosts, templates });
    }
    if options.ambiguous_paths == AmbiguousPaths::Match {
        ambiguity::check(&all_paths, table.routes(), problems);
    }
    if keys_left.is_none() {
        problems.error(place.clone(), TableFault::TooManyKeys { limit: MAX_KEYS }.into());
    }
    if let Some(visits) = table.excessive_visits() {
        problems.error(place.clone(), TableFault::SlowLookup { visits }.into());
    }
    table
}

#[inline(never)]
fn add_route(
    table: &mut RouteTable,
    keys_left: &mut Option<usize>,
    place: &Place,
    route: &mut Route,
    issuers: &KnownIssuers,
    authenticator: &mut Authenticator,
    problems: &mut Problems,
) -> (Vec<Option<HostPattern>>, Vec<Template>) {
    if let Some(name) = &route.name {
        problems.check(&place.field("name"), checks::check_name(name));
    }
    let (access, variables) = access::compile(place, route, issuers, authenticator, problems);
    let hosts = hosts(place, route.hosts.as_deref(), problems);
    let paths = paths(place, &route.paths, problems);
    let methods = methods(place, route.methods.as_deref(), problems);

    let mut bound_paths = Vec::new();
    for (path_place, path) in &paths {
        let segment = |name: &String| {
            let fault = || TableFault::NoVariable { name: name.clone() };
            problems.check(path_place, path.variable(name).ok_or_else(fault))
        };
        let segments: Vec<_> = variables.iter().filter_map(segment).collect();
        bound_paths.push((path, segments));
    }
    let added = [bound_paths.len(), hosts.len(), methods.len()];
    let added = added.into_iter().try_fold(1, usize::checked_mul);
    *keys_left = added.and_then(|added| keys_left.and_then(|left| left.checked_sub(added)));
    let mut keys = Vec::new();
    // Said once, for the whole table.
    if keys_left.is_some() {
        for (path, variables) in &bound_paths {
            for host in &hosts {
                for method in &methods {
                    keys.push(RouteKey { host: host.as_ref(), path, method: *method, variables });
                }
            }
        }
    }
    let name = route.name.clone().unwrap_or_else(|| place.to_string());
    let added = table.add(routes::Route { name, access, dry_run: route.dry_run }, keys);
    if let Err(taken) = added {
        refuse_shared_key(place, &taken, problems);
    }
    (hosts, paths.into_iter().map(|(_, path)| path).collect())
}

fn refuse_shared_key(place: &Place, taken: &[String], problems: &mut Problems) {
    let others = each_once(taken.iter().map(String::as_str));
    let others = others.into_iter().map(str::to_owned).collect();
    problems.error(place.clone(), TableFault::SharedKey { others }.into());
}

/// The hosts of a route; one `None` where routes name no hosts.
#[inline(never)]
fn hosts(
    place: &Place,
    hosts: Option<&[String]>,
    problems: &mut Problems,
) -> Vec<Option<HostPattern>> {
    let Some(hosts) = hosts else {
        return vec![None];
    };
    let place = place.field("hosts");
    checks::check_strings(&place, hosts, problems);
    let parse = |(index, host): (usize, &String)| {
        problems.check(&place.index(index), HostPattern::parse(host)).map(Some)
    };
    hosts.iter().enumerate().filter_map(parse).collect()
}

#[inline(never)]
fn paths(place: &Place, paths: &[String], problems: &mut Problems) -> Vec<(Place, Template)> {
    let place = place.field("paths");
    if paths.is_empty() {
        problems
            .error(place.clone(), Fault::EmptyList { expected: "a path such as `/reviews/{id}`" });
    }
    let parse = |(index, path): (usize, &String)| {
        let place = place.index(index);
        problems.check(&place, Template::parse(path)).map(|path| (place, path))
    };
    paths.iter().enumerate().filter_map(parse).collect()
}

/// The methods of a route; one `None` where it lists none.
#[inline(never)]
fn methods<'r>(
    place: &Place,
    methods: Option<&'r [String]>,
    problems: &mut Problems,
) -> Vec<Option<&'r str>> {
    let Some(methods) = methods else {
        return vec![None];
    };
    let place = place.field("methods");
    checks::check_strings(&place, methods, problems);
    for (index, method) in methods.iter().enumerate() {
        // Methods are case-sensitive (RFC 9110 §9.1), and every registered one is in upper case.
        if !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            let fault = Fault::text(method, "a method such as `GET`, in upper case");
            problems.error(place.index(index), fault);
        }
        if method == "CONNECT" {
            let why = "which has no path and is always denied by a table";
            problems.error(place.index(index), Fault::unsuitable(method, why));
        }
    }
    methods.iter().map(|method| Some(method.as_str())).collect()
}
