//! `fence`: the header by which what is behind the filter knows that it was there.

use super::fault::Fault;
use super::output_headers;
use super::place::Place;
use super::problem::Problems;
use super::schema;
use super::shape::value::Secret;
use super::shape::{self, Entry};
use jwt_rbac::authn::Authenticator;
use jwt_rbac::authn::locate::Location;
use jwt_rbac::document::Fence;
use jwt_rbac::header_names;

/// Who guesses a shorter value gets past the filter.
const MIN_VALUE: usize = 16;
/// A value that every request carries should be short.
const MAX_VALUE: usize = 256;
/// How the placeholder of a manifest begins.
const PLACEHOLDER: &str = "REPLACE_WITH_";

/// Compiles `fence`; `authenticator` has the headers that are taken already. No message repeats the value.
#[inline(never)]
pub fn compile(
    place: &Place,
    fence: Entry<schema::Fence>,
    authenticator: &Authenticator,
    problems: &mut Problems,
) -> Option<Fence> {
    let schema::Fence { header, value: Secret(value) } = shape::decode(place, fence, problems)?;
    let header = problems.check(&place.field("header"), header_name(&header, authenticator));
    let value = problems.check(&place.field("value"), checked_value(value));
    Some(Fence { header: header?, value: value? })
}

fn header_name(header: &str, authenticator: &Authenticator) -> Result<String, Fault> {
    output_headers::check_name(header)?;
    let name = header_names::normal(header);
    let is_taken = |other: &str| header_names::normal(other) == name;
    let mut outputs = authenticator.providers().iter().flat_map(|provider| &provider.outputs);
    if outputs.any(|output| is_taken(&output.name)) {
        return Err(Fault::unsuitable(header, "which an entry of `jwtRules` writes"));
    }
    let is_at = |location: &Location| match location {
        Location::Header(header, _) => is_taken(header),
        Location::Cookie(_) | Location::Parameter(_) => false,
    };
    if authenticator.locations().iter().any(is_at) {
        return Err(Fault::unsuitable(header, "where tokens are looked for"));
    }
    Ok(header.to_ascii_lowercase())
}

/// An AuthorizationPolicy reads `*` at the ends of a value as any text.
fn checked_value(value: String) -> Result<String, Fault> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if value.starts_with(PLACEHOLDER) {
        let expected = "a secret of your own in place of the placeholder, such as what \
                        `openssl rand -hex 16` prints, the same in the policy that asks for it";
        return Err(Fault::expected(expected));
    }
    if (MIN_VALUE..=MAX_VALUE).contains(&value.len()) && value.bytes().all(is_allowed) {
        return Ok(value);
    }
    Err(Fault::expected("16 to 256 of A-Z a-z 0-9 - . _ ~ + / = (what is there is not shown)"))
}
