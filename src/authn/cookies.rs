//! Cookies of a request (RFC 6265 §4.2.1), read as Envoy reads them (`Utility::parseCookies`).

/// One cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value, without the quotes around it.
    pub value: &'a [u8],
}

/// The parts of one `cookie` header, in order; a part without `=` is no cookie.
pub fn split(header: &[u8]) -> impl Iterator<Item = (&[u8], Option<Cookie<'_>>)> {
    header.split(|&byte| byte == b';').map(|part| {
        let part = part.trim_ascii();
        (part, cookie(part))
    })
}

fn cookie(part: &[u8]) -> Option<Cookie<'_>> {
    let sign = part.iter().position(|&byte| byte == b'=')?;
    let (name, value) = part.split_at(sign);
    let value = value.strip_prefix(b"=")?.trim_ascii();
    let quoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some(Cookie { name: name.trim_ascii(), value: quoted.unwrap_or(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_split_at_semicolons() {
        let header = b"a=1; b=\"2\";c = 3;; d; e=f=g; h=\"";
        let found: Vec<_> =
            split(header).filter_map(|(_, cookie)| cookie.map(|it| (it.name, it.value))).collect();
        let expected: [(&[u8], &[u8]); 5] =
            [(b"a", b"1"), (b"b", b"2"), (b"c", b"3"), (b"e", b"f=g"), (b"h", b"\"")];
        assert_eq!(found, expected);
    }
}
