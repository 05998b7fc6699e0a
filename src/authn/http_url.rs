//! A URL that keys are fetched from: `http` or `https`, as RFC 9110 §4.2 has them, in plain ASCII.

use std::fmt;

/// An `http:` or `https:` URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUrl {
    is_secure: bool,
    /// In lower case; of IPv6 without the brackets.
    host: String,
    port: u16,
    /// Begins with `/`, with the query.
    target: String,
}

/// Why a text is no such URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpUrlError {
    /// It has another scheme, or none.
    Scheme,
    /// It has a name or a password.
    UserInfo,
    /// Its host is missing, or no name or address.
    Host,
    /// Its port is no number from 1 to 65535.
    Port,
    /// It has a fragment, which is not sent (RFC 9110 §4.2.5).
    Fragment,
    /// It has a byte that RFC 3986 does not allow.
    Byte,
}

impl fmt::Display for HttpUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scheme => "expected a URL that begins with `https://`",
            Self::UserInfo => "expected a URL without user name and password",
            Self::Host => "expected the name or the address of a host behind `//`",
            Self::Port => "expected a port from 1 to 65535",
            Self::Fragment => "expected a URL without `#`",
            Self::Byte => "expected a URL in ASCII, with everything else percent-encoded",
        })
    }
}

impl std::error::Error for HttpUrlError {}

impl HttpUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`HttpUrlError`]
    pub fn parse(text: &str) -> Result<Self, HttpUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(HttpUrlError::Scheme)?;
        let is_secure = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => true,
            _ if scheme.eq_ignore_ascii_case("http") => false,
            _ => return Err(HttpUrlError::Scheme),
        };
        if rest.contains('#') {
            return Err(HttpUrlError::Fragment);
        }
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        if !rest.bytes().all(is_allowed) {
            return Err(HttpUrlError::Byte);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let (host, port) = split_authority(authority)?;
        let port = match port {
            Some(digits) => parse_port(digits).ok_or(HttpUrlError::Port)?,
            None if is_secure => 443,
            None => 80,
        };
        let slash = if target.starts_with('/') { "" } else { "/" };
        let target = format!("{slash}{target}");
        Ok(Self { is_secure, host: host.to_ascii_lowercase(), port, target })
    }

    /// Whether it is `https:`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// `https` or `http`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// Its host, in lower case, an address of IPv6 without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port, or that of its scheme.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query; it begins with `/`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Host and port as a request names them (`:authority`): without the port of the scheme.
    #[must_use]
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.is_secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The name that Istio gives to the cluster of a host (`BuildSubsetKey` of
    /// `pilot/pkg/model/service.go`): direction, port, subset and host.
    #[must_use]
    pub fn istio_cluster(&self) -> String {
        format!("outbound|{}||{}", self.port, self.host)
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority(), self.target)
    }
}

/// The host and the port of an authority.
fn split_authority(authority: &str) -> Result<(&str, Option<&str>), HttpUrlError> {
    if authority.contains('@') {
        return Err(HttpUrlError::UserInfo);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(HttpUrlError::Host)?;
            let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
            match after.strip_prefix(':') {
                _ if !is_address => return Err(HttpUrlError::Host),
                Some(port) => (address, Some(port)),
                None if after.is_empty() => (address, None),
                None => return Err(HttpUrlError::Port),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_name = |host: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !host.is_empty() && host.bytes().all(is_part)
    };
    if host.contains(':') || is_name(host) { Ok((host, port)) } else { Err(HttpUrlError::Host) }
}

/// Without `+`, which `parse` would take.
fn parse_port(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| is_number && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, authority, target, cluster) in [
            ("https://a.example/jwks", "a.example", "/jwks", "outbound|443||a.example"),
            ("HTTPS://A.Example:443", "a.example", "/", "outbound|443||a.example"),
            ("https://a.example:8443?x=/y", "a.example:8443", "/?x=/y", "outbound|8443||a.example"),
            (
                "http://a.b.svc.cluster.local/k",
                "a.b.svc.cluster.local",
                "/k",
                "outbound|80||a.b.svc.cluster.local",
            ),
            ("http://127.0.0.1:81/k", "127.0.0.1:81", "/k", "outbound|81||127.0.0.1"),
            ("https://[::1]:1/k", "[::1]:1", "/k", "outbound|1||::1"),
            ("https://[::1]", "[::1]", "/", "outbound|443||::1"),
        ] {
            let url = HttpUrl::parse(text).unwrap();
            assert_eq!(url.authority(), authority, "{text}");
            assert_eq!(url.target(), target, "{text}");
            assert_eq!(url.istio_cluster(), cluster, "{text}");
            assert_eq!(url.is_secure(), text.to_lowercase().starts_with("https"));
            assert_eq!(HttpUrl::parse(&url.to_string()), Ok(url), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_says_why() {
        for (text, error) in [
            ("a.example/jwks", HttpUrlError::Scheme),
            ("ftp://a.example", HttpUrlError::Scheme),
            ("", HttpUrlError::Scheme),
            ("https://", HttpUrlError::Host),
            ("https:///jwks", HttpUrlError::Host),
            ("https://a b/", HttpUrlError::Byte),
            ("https://a/\r\nx: y", HttpUrlError::Byte),
            ("https://bücher.example/", HttpUrlError::Byte),
            ("https://a,b/", HttpUrlError::Host),
            ("https://user:pass@a/", HttpUrlError::UserInfo),
            ("https://a:/", HttpUrlError::Port),
            ("https://a:0/", HttpUrlError::Port),
            ("https://a:65536/", HttpUrlError::Port),
            ("https://a:+1/", HttpUrlError::Port),
            ("https://[::1/", HttpUrlError::Host),
            ("https://[::g]/", HttpUrlError::Host),
            ("https://[::1]x/", HttpUrlError::Port),
            ("https://a/#b", HttpUrlError::Fragment),
        ] {
            assert_eq!(HttpUrl::parse(text), Err(error), "{text}");
        }
    }
}
