//! The time that tokens are judged at.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;

/// Seconds since 1970.
///
/// # Errors
///
/// When the clock of this machine is before that.
pub fn now() -> Result<u64, Error> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Error::Clock)?;
    Ok(since_1970.as_secs())
}

/// A time such as `2026-01-01T00:00:00Z`, in seconds since 1970.
pub fn parse_time(text: &str) -> Result<u64, String> {
    let wrong = || "expected a time such as 2026-01-01T00:00:00Z".to_owned();
    let time = humantime::parse_rfc3339_weak(text).map_err(|_| wrong())?;
    Ok(time.duration_since(UNIX_EPOCH).map_err(|_| wrong())?.as_secs())
}
