//! Each step of a decision in words. Every step asks the function of the filter that makes it; whether a
//! step denied the request is what the decision says.

mod checks;
mod condition;
mod forward;
mod permissions;
mod policies;
mod remedies;
mod requirement;
mod route;
mod token;

use jwt_rbac::decision::{Decision, Verdict};
use jwt_rbac::refusal::Kind;
use jwt_rbac::request::Request;

use crate::policy::Policy;
use crate::report::{Note, Step};

pub use remedies::remedies;
pub use token::of_token;

/// All steps of a decision, in their order.
pub fn all(
    policy: &Policy,
    request: &Request<'_>,
    decision: &Decision<'_, '_>,
    now: u64,
) -> Vec<Step> {
    let mut steps = vec![route::step(policy, request)];
    steps.extend(token::steps(policy, request, decision, now));
    steps.extend(policies::step(policy, request, decision));
    steps.push(requirement::step(policy, request, decision));
    match &decision.verdict {
        Verdict::Allow(permit) => steps.extend(forward::step(policy, request, permit)),
        Verdict::WouldDeny(denial, permit) => {
            let covered = match denial.refusal.kind() {
                _ if denial.is_of_dry_policy() => "the policy is",
                Kind::Requirement if policy.document.dry_run.is_none() => "the route is",
                _ => "the document is",
            };
            let text = format!("{covered} in dry run: the request continues all the same");
            let forward = forward::step(policy, request, permit);
            let notes = forward.map_or_else(Vec::new, |step| step.notes);
            steps.push(Step::passed("dry run", text).with(notes));
        }
        Verdict::Deny(_) | Verdict::Wait => {}
    }
    steps
}

/// A list of names as a sentence has it: `a, b and c`.
fn list<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The same, with a number for what would make it too long.
fn short_list<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 8;
    if names.len() <= MOST {
        return list(names);
    }
    let shown: Vec<_> =
        names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    format!("{} and {} more", shown.join(", "), names.len() - MOST)
}

fn plain_notes(texts: impl IntoIterator<Item = String>) -> Vec<Note> {
    texts.into_iter().map(Note::plain).collect()
}
