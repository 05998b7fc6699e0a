//! Blocks of addresses, as `remoteIpBlocks` and `destination.ip` list them.

use std::fmt;
use std::net::IpAddr;

/// An address, or all that share its first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpBlock {
    address: IpAddr,
    /// How many bits count.
    length: u32,
}

impl IpBlock {
    /// Reads `10.0.0.1`, `10.0.0.0/8`, `2001:db8::/32`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length)),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => bits,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().ok()?
            }
            Some(_) => return None,
        };
        (length <= bits).then_some(Self { address, length })
    }

    /// Whether an address is in it. An IPv4 address is not in a block of IPv6.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, bits) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32_u32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        // Nothing is left of a shift by all bits.
        let differs = (own ^ other).checked_shr(bits.saturating_sub(self.length));
        differs.unwrap_or(0) == 0
    }
}

/// As it is written, with the number of bits.
impl fmt::Display for IpBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_contain_what_shares_their_bits() {
        for (block, address, expected) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.9.9.9/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "::ffff:1.2.3.4", false),
        ] {
            let found = IpBlock::parse(block).unwrap().contains(address.parse().unwrap());
            assert_eq!(found, expected, "{block} {address}");
        }
        for text in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "a/8"] {
            assert!(IpBlock::parse(text).is_none(), "{text}");
        }
    }
}
