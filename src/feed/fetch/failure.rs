//! The message for an operator if a request fails (pure).

use std::error::Error;

use super::FetchLimits;
use super::resolve::PrivateAddress;
use crate::feed::Refused;

/// The reason for a failed request.
pub(super) fn refused(error: &reqwest::Error, limits: &FetchLimits) -> Refused {
    if let Some(private) = causes(error).find_map(|cause| cause.downcast_ref::<PrivateAddress>()) {
        Refused::Unreachable(private.to_string())
    } else if error.is_connect() && error.is_timeout() {
        let limit = limits.connect_timeout.as_secs();
        Refused::Unreachable(format!("no connection after {limit} s"))
    } else if error.is_body() || error.is_decode() {
        Refused::Incomplete(format!("the connection ended early ({})", root(error)))
    } else if error.is_connect() {
        Refused::Unreachable(format!("no connection: {}", root(error)))
    } else {
        Refused::Unreachable(format!("request failed: {}", root(error)))
    }
}

/// The innermost cause, without the URL.
pub(super) fn root(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
