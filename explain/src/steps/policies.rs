//! What the policies say of the request.

use jwt_rbac::authz::policies::policy::{Action, Policy as Policies, Rule};
use jwt_rbac::authz::policies::subject::Subject;
use jwt_rbac::decision::Decision;
use jwt_rbac::denial::Detail;
use jwt_rbac::refusal::{Kind, Refusal};
use jwt_rbac::request::Request;

use super::condition::describe;
use crate::policy::Policy;
use crate::report::{Note, Step};

/// The name of the step.
const NAME: &str = "policies";
/// How many rules are gone through in words.
const MOST_RULES: usize = 10;

/// The step in which the policies are asked; none where the document has no policies.
pub fn step(policy: &Policy, request: &Request<'_>, decision: &Decision<'_, '_>) -> Option<Step> {
    let policies = policy.document.policies.as_ref()?;
    let subject = Subject::new(request, decision.identity.as_deref());
    Some(match decision.verdict.denial() {
        Some(denial) if denial.refusal.kind() == Kind::Policy => {
            let (name, notes) = match &denial.detail {
                Detail::Policy(found) if denial.refusal == Refusal::PolicyDenied => {
                    (format!(": `{}`", found.name), matching(policy, found, &subject))
                }
                Detail::Policy(found) => {
                    let of_dry_run = policies.all().filter(|it| it.dry_run);
                    (format!(": `{}`", found.name), failing(policy, of_dry_run, &subject))
                }
                _ => {
                    let enforced = policies.all().filter(|it| !it.dry_run);
                    (String::new(), failing(policy, enforced, &subject))
                }
            };
            Step::failed(NAME, format!("{}{name}", denial.refusal.meaning())).with(notes)
        }
        Some(denial)
            if matches!(denial.refusal.kind(), Kind::Shape | Kind::Table | Kind::Token) =>
        {
            Step::skipped(NAME, "not looked at: the request is denied before")
        }
        _ => Step::passed(NAME, "they let the request pass"),
    })
}

/// Why the first rule that matches does: each of its conditions that holds.
fn matching(policy: &Policy, denying: &Policies, subject: &Subject<'_, '_>) -> Vec<Note> {
    let is_unclear = denying.action.takes_unclear();
    let matching =
        |(_, rule): &(usize, &Rule)| missing(policy, rule, is_unclear, subject).is_empty();
    let Some((number, rule)) = denying.rules.iter().enumerate().find(matching) else {
        return Vec::new();
    };
    let conditions = rule.to.iter().chain([&rule.when]).chain(&rule.from).flatten();
    let holding = conditions.filter(|condition| condition.holds(subject, is_unclear));
    let mut notes: Vec<Note> = holding
        .map(|condition| {
            let text = describe(policy, condition, subject);
            Note::plain(format!("`rules[{number}]`: {text}"))
        })
        .collect();
    if notes.is_empty() {
        notes.push(Note::plain(format!("`rules[{number}]` asks nothing: it matches everything")));
    }
    notes
}

/// What each rule of these ALLOW policies lacks.
fn failing<'p>(
    policy: &Policy,
    policies: impl Iterator<Item = &'p Policies>,
    subject: &Subject<'_, '_>,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let allowing = policies.filter(|it| it.action == Action::Allow);
    for Policies { name, rules, .. } in allowing {
        if rules.is_empty() {
            notes.push(Note::check(false, format!("`{name}` has no rules: it lets nothing pass")));
        }
        for (number, rule) in rules.iter().enumerate() {
            let missing = missing(policy, rule, false, subject).join("; ");
            notes.push(Note::check(false, format!("`{name}`, `rules[{number}]`: {missing}")));
        }
    }
    let more = notes.len().saturating_sub(MOST_RULES);
    notes.truncate(MOST_RULES);
    if more > 0 {
        notes.push(Note::plain(format!("and {more} more rules, none of which matches")));
    }
    notes
}

/// What of a rule does not hold, in the order in which the filter asks; nothing where it matches. Of
/// alternatives that all fail, each says what it lacks.
fn missing(
    policy: &Policy,
    rule: &Rule,
    if_unclear: bool,
    subject: &Subject<'_, '_>,
) -> Vec<String> {
    let when = std::slice::from_ref(&rule.when);
    let mut missing = Vec::new();
    for alternatives in [rule.to.as_slice(), when, rule.from.as_slice()] {
        let mut lacks = Vec::new();
        for conditions in alternatives {
            let failed = conditions.iter().filter(|it| !it.holds(subject, if_unclear));
            let failed: Vec<_> = failed.map(|it| describe(policy, it, subject)).collect();
            lacks.push(failed.join(" and "));
        }
        if !lacks.is_empty() && lacks.iter().all(|lack| !lack.is_empty()) {
            missing.push(lacks.join(", or "));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::ask::{Ask, Caller};
    use crate::policy::{Policy, Signatures};

    /// What the step says of `/export` and this query, asked by a token with the tenant `acme`.
    fn notes(action: &str, when: &Value, query: &str) -> Vec<String> {
        let config = json!({
            "jwtRules": [{"issuer": "https://a.test", "audiences": ["b"], "jwksUri": "https://a.test/jwks"}],
            "authorizationPolicies": [{
                "name": "p",
                "action": action,
                "rules": [{"to": [{"operation": {"paths": ["/export", "/x/{*}"]}}], "when": [when]}],
            }],
        });
        let policy = Policy::compile(config, Signatures::Assumed, None).unwrap();
        let claims = json!({"tenant": "acme", "level": 7}).as_object().unwrap().clone();
        let ask = Ask::parse(&["/export", query].concat()).unwrap().by(Caller::Claims(claims));
        let report = crate::explain(&policy, &ask, 1_800_000_000);
        let step = report.steps.into_iter().find(|step| step.name == "policies").unwrap();
        step.notes.into_iter().map(|note| note.text).collect()
    }

    #[test]
    fn each_condition_that_fails_is_told_with_what_was_found() {
        let claim = "request.auth.claims[tenant]";
        for (when, query, expected) in [
            (
                json!({"key": claim, "values": ["other", "x*"]}),
                "",
                "the claim `tenant` must be `other` or `x*`: it is \"acme\"",
            ),
            (
                json!({"key": claim, "queryParameter": "tenant"}),
                "?tenant=other",
                "the claim `tenant` must be as the parameter `tenant` (`other`): it is \"acme\"",
            ),
            (
                json!({"key": claim, "header": "x-tenant"}),
                "",
                "the claim `tenant` must be as the header `x-tenant`, which is not there: it is \"acme\"",
            ),
            (
                json!({"key": claim, "regex": "[0-9]+"}),
                "",
                "the claim `tenant` must be like `[0-9]+`: it is \"acme\"",
            ),
            (
                json!({"key": "request.auth.claims[level]", "notValues": [7]}),
                "",
                "the claim `level` must not be 7: it is 7",
            ),
            (
                json!({"key": "request.query[format]", "values": ["csv"]}),
                "?format=csv&format=xml",
                "the parameter `format` must be `csv`: it can be read in more than one way",
            ),
            (
                json!({"key": "request.headers[x-a]", "present": true}),
                "",
                "the header `x-a` must be there: there is none",
            ),
        ] {
            let found = notes("ALLOW", &when, query);
            assert_eq!(found, [format!("`p`, `rules[0]`: {expected}")]);
        }
    }

    #[test]
    fn a_policy_that_denies_tells_what_holds() {
        let when = json!({"key": "request.query[debug]", "present": true});
        assert_eq!(
            notes("DENY", &when, "?debug=1"),
            [
                "`rules[0]`: the path must be `/export` or `/x/{*}`: it is `/export`",
                "`rules[0]`: the parameter `debug` must be there: it is `1`",
            ]
        );
    }
}
