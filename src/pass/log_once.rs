//! What an operator is told: news loudly and once, what goes on quietly.

/// Something that happened; quiet when it is no news.
pub fn news(is_new: bool, line: &str) {
    if is_new {
        tracing::info!("{line}");
    } else {
        tracing::debug!("{line}");
    }
}

/// Something that is wrong; quiet when it was said before, for `status` shows it.
pub fn warning(is_new: bool, line: &str) {
    if is_new {
        tracing::warn!("{line}");
    } else {
        tracing::debug!("{line}");
    }
}
