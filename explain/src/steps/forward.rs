//! What of an allowed request the workload receives.

use jwt_rbac::authz::Permit;
use jwt_rbac::forward::{self, HeaderChange};
use jwt_rbac::request::Request;

use crate::policy::Policy;
use crate::report::{Note, Step};

/// The step in which headers are removed and set, if any are.
pub fn step(policy: &Policy, request: &Request<'_>, permit: &Permit) -> Option<Step> {
    let changes = forward::changes(&policy.document, request, permit);
    let fence = policy.document.fence.as_ref();
    // Its value is a secret between the filter and what is behind it.
    let is_fence = |name: &str| fence.is_some_and(|fence| &*fence.header == name);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let notes: Vec<_> = changes
        .iter()
        .map(|change| match change {
            HeaderChange::Remove(name) => format!("`{}` is removed", text(name)),
            HeaderChange::Replace(name, _) if is_fence(name) => {
                format!("`{name}` has the value of the fence")
            }
            HeaderChange::Replace(name, value) => format!("`{name}` is `{}`", text(value)),
        })
        .map(Note::plain)
        .collect();
    (!notes.is_empty())
        .then(|| Step::passed("workload", "receives the request changed").with(notes))
}
