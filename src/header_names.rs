//! Names of headers, and whether a header has one of them in whatever spelling.
//!
//! Many servers hand `x_sub`, `X-Sub` and `x-sub` to the application under one name, and some `x.sub`
//! too: CGI has only letters, digits and `_` (RFC 3875 §4.1.18). So here they are one name. grpc-gateway
//! hands `grpc-metadata-x-sub` on as `x-sub`.

/// What grpc-gateway takes off (`runtime.MetadataHeaderPrefix`).
const GRPC_METADATA: &[u8] = b"grpc-metadata-";

/// A set of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderNames {
    /// Each in its [`normal`] form.
    names: Vec<String>,
    /// One bit for each length that some name has: most headers have none of them.
    lengths: u64,
}

impl HeaderNames {
    /// A set of these names.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut set = Self::default();
        for name in names.into_iter().map(normal) {
            if !set.names.contains(&name) {
                set.lengths |= length_bit(name.len());
                set.names.push(name);
            }
        }
        set
    }

    /// Whether it has no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a header has one of the names.
    #[must_use]
    pub fn contains(&self, header: &[u8]) -> bool {
        self.has_spelling(header)
            || header.first() == Some(&b'g')
                && header.split_at_checked(GRPC_METADATA.len()).is_some_and(|(prefix, name)| {
                    is_spelling(prefix, GRPC_METADATA) && self.has_spelling(name)
                })
    }

    fn has_spelling(&self, header: &[u8]) -> bool {
        self.lengths & length_bit(header.len()) != 0
            && self.names.iter().any(|name| is_spelling(header, name.as_bytes()))
    }
}

/// The one form of all spellings of a name: in lower case, with `-` for all that is no letter and no
/// digit.
#[must_use]
pub fn normal(name: &str) -> String {
    let normal = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(normal).collect()
}

/// All lengths from 63 on share a bit.
fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

fn is_spelling(header: &[u8], normal: &[u8]) -> bool {
    header.len() == normal.len()
        && header.iter().zip(normal).all(|(&found, &wanted)| {
            found.to_ascii_lowercase() == wanted || wanted == b'-' && !found.is_ascii_alphanumeric()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_every_spelling() {
        let names = HeaderNames::new(["X_Sub", "x-sub", "x-org"]);
        assert_eq!(names.names.len(), 2);
        for name in [
            "x-sub",
            "x_sub",
            "X-Sub",
            "X_SUB",
            "x.sub",
            "x-org",
            "grpc-metadata-x_sub",
            "grpc_metadata_x_sub",
        ] {
            assert!(names.contains(name.as_bytes()), "{name}");
        }
        for name in ["", "x-subs", "xxsub", "x--ub", "grpc-metadata-", "grpc-x-sub"] {
            assert!(!names.contains(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn long_names_are_told_apart() {
        let [long, longer] = [63, 64].map(|length| "x".repeat(length));
        let names = HeaderNames::new([long.as_str()]);
        assert!(names.contains(long.as_bytes()) && !names.contains(longer.as_bytes()));
    }
}
