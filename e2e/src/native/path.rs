//! The paths and hosts of a route as regular expressions (RE2) for the native filter.

/// The pattern for a path template: one optional trailing slash, `{x}` one segment, a trailing
/// `{**}` the rest, which may be empty.
pub(super) fn path(template: &str) -> String {
    let mut pattern = String::new();
    for segment in template.split('/').filter(|segment| !segment.is_empty()) {
        if is_rest(segment) {
            return pattern + "(/.*)?";
        }
        pattern.push('/');
        if segment.starts_with('{') {
            pattern.push_str("[^/]+");
        } else {
            pattern.push_str(&literal(segment));
        }
    }
    pattern + "/?"
}

/// The pattern for a host with any port: `*.x` is one or more labels before `.x`, `*` is every
/// host; case does not count.
pub(super) fn host(host: &str) -> String {
    let name = match host.strip_prefix("*.") {
        Some(domain) => format!("[^.:]+(\\.[^.:]+)*\\.{}", literal(domain)),
        None if host == "*" => "[^:]+".to_owned(),
        None => literal(host),
    };
    format!("(?i){name}(:[0-9]+)?")
}

fn is_rest(segment: &str) -> bool {
    segment == "{**}" || (segment.starts_with('{') && segment.ends_with("=**}"))
}

fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if !character.is_ascii_alphanumeric() && character.is_ascii() {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_become_patterns() {
        assert_eq!(path("/"), "/?");
        assert_eq!(path("/a.b/{id}"), "/a\\.b/[^/]+/?");
        assert_eq!(path("/static/{**}"), "/static(/.*)?");
        assert_eq!(path("/{rest=**}"), "(/.*)?");
    }

    #[test]
    fn hosts_become_patterns() {
        assert_eq!(host("a.b"), "(?i)a\\.b(:[0-9]+)?");
        assert_eq!(host("*.b"), "(?i)[^.:]+(\\.[^.:]+)*\\.b(:[0-9]+)?");
        assert_eq!(host("[::1]"), "(?i)\\[\\:\\:1\\](:[0-9]+)?");
    }
}
