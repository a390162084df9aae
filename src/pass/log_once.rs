//! Log lines: news once as a warning or information, what continues at debug level.

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
