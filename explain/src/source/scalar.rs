//! What a plain scalar means: as `kubectl` reads it (`sigs.k8s.io/yaml`, which follows YAML 1.1), because
//! that is who reads the manifests.

use serde_json::Number;

use super::Value;

/// What a scalar without quotes means.
#[must_use]
pub fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match surprising_bool(text) {
            Some(value) => Value::Bool(value),
            None => number(text).map_or_else(|| Value::Text(text.to_owned()), Value::Number),
        },
    }
}

/// The words that YAML 1.1 takes for booleans, though they look like text.
#[must_use]
pub fn surprising_bool(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Number> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    let digits = text.replace('_', "");
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, digits.strip_prefix('+').unwrap_or(&digits)),
    };
    let radix = |prefix: &str, radix| {
        let digits = digits.strip_prefix(prefix)?;
        i128::from_str_radix(digits, radix).ok()
    };
    let integer = radix("0x", 16)
        .or_else(|| radix("0b", 2))
        .or_else(|| radix("0o", 8))
        // A zero in front means base 8 in YAML 1.1.
        .or_else(|| radix("0", 8).filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit())))
        .or_else(|| digits.parse::<i128>().ok().filter(|_| is_decimal(digits)));
    if let Some(integer) = integer {
        return Number::from_i128(sign * integer);
    }
    let is_float = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    let float = digits.parse::<f64>().ok().filter(|_| is_float)?;
    Number::from_f64(if sign < 0 { -float } else { float })
}

fn is_decimal(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_mean_what_kubectl_reads() {
        let number = |value: &str| Value::Number(value.parse().unwrap());
        for (text, expected) in [
            ("7", number("7")),
            ("-7", number("-7")),
            ("1_000", number("1000")),
            ("0x10", number("16")),
            ("010", number("8")),
            ("0", number("0")),
            ("1.5", number("1.5")),
            ("1e3", number("1000.0")),
            ("no", Value::Bool(false)),
            ("On", Value::Bool(true)),
            ("~", Value::Null),
            ("1.2.3", Value::Text("1.2.3".to_owned())),
            ("60s", Value::Text("60s".to_owned())),
            ("2026-01-01", Value::Text("2026-01-01".to_owned())),
            ("-", Value::Text("-".to_owned())),
            ("e3", Value::Text("e3".to_owned())),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
