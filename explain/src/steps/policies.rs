//! What the policies say of the request.

use jwt_rbac::decision::Decision;
use jwt_rbac::denial::Detail;
use jwt_rbac::refusal::Kind;

use crate::policy::Policy;
use crate::report::Step;

/// The name of the step.
const NAME: &str = "policies";

/// The step in which the policies are asked; none where the document has no policies.
pub fn step(policy: &Policy, decision: &Decision<'_, '_>) -> Option<Step> {
    policy.document.policies.as_ref()?;
    Some(match decision.verdict.denial() {
        Some(denial) if denial.refusal.kind() == Kind::Policy => {
            let name = match &denial.detail {
                Detail::Policy(policy) => format!(": `{}`", policy.name),
                _ => String::new(),
            };
            Step::failed(NAME, format!("{}{name}", denial.refusal.meaning()))
        }
        Some(denial)
            if matches!(denial.refusal.kind(), Kind::Shape | Kind::Table | Kind::Token) =>
        {
            Step::skipped(NAME, "not looked at: the request is denied before")
        }
        _ => Step::passed(NAME, "they let the request pass"),
    })
}
