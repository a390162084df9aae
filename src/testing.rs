//! How much a test tries: `NULLROUTED_TESTS=all`, as `tests/run` sets it, wants everything.

/// As many cases of a random test as everything needs, or a tenth of them.
pub fn cases(all: u32) -> u32 {
    match everything() {
        true => all,
        false => all / 10,
    }
}

/// Whether nothing is left out to save time.
pub fn everything() -> bool {
    std::env::var_os("NULLROUTED_TESTS").is_some_and(|value| value == "all")
}
