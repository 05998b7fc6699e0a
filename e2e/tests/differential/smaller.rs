//! Makes a case that differs smaller: whatever can be left out is, as long as the answers differ.

use jwt_rbac_e2e::client::Request;
use jwt_rbac_e2e::twin::Outcome;
use jwt_rbac_e2e::verdict;
use serde_json::Value;

use super::{Connections, both, start};

/// The smallest document and request that were found.
pub fn smallest(document: &Value, request: &Request) -> (Value, Request) {
    let (mut document, mut request) = (document.clone(), request.clone());
    loop {
        let smaller: Vec<Value> = without_one(&document["authorizationPolicies"])
            .into_iter()
            .map(|policies| {
                let mut smaller = document.clone();
                smaller["authorizationPolicies"] = policies;
                smaller
            })
            .filter(|smaller| verdict::errors(smaller).is_empty())
            .collect();
        match differing(&smaller, &request) {
            Some(place) => document = smaller[place].clone(),
            None => break,
        }
    }
    let mut place = 0;
    while place < request.headers.len() {
        let mut smaller = request.clone();
        smaller.headers.remove(place);
        if differing(std::slice::from_ref(&document), &smaller).is_some() {
            request = smaller;
        } else {
            place += 1;
        }
    }
    (document, request)
}

/// The first of these documents for which the two filters answer otherwise.
fn differing(documents: &[Value], request: &Request) -> Option<usize> {
    if documents.is_empty() {
        return None;
    }
    let envoy = start(documents);
    (0..documents.len()).find(|place| {
        let [ours, theirs] = Connections::open(&envoy, &both(*place)).answers(request);
        Outcome::of(&ours) != Outcome::of(&theirs)
    })
}

/// The value without one of its elements or members, at any depth: one value for each.
fn without_one(value: &Value) -> Vec<Value> {
    let mut smaller = Vec::new();
    match value {
        Value::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                let mut without = elements.clone();
                without.remove(place);
                smaller.push(Value::Array(without));
                for inner in without_one(element) {
                    let mut with = elements.clone();
                    with[place] = inner;
                    smaller.push(Value::Array(with));
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let mut without = members.clone();
                without.remove(name);
                smaller.push(Value::Object(without));
                for inner in without_one(member) {
                    let mut with = members.clone();
                    with.insert(name.clone(), inner);
                    smaller.push(Value::Object(with));
                }
            }
        }
        _ => {}
    }
    smaller
}
