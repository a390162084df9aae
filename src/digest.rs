//! Short names for exact content.

use sha2::{Digest as _, Sha256};

/// The first 16 hexadecimal digits of its SHA-256.
pub fn of(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content)[..8])
}

/// Two digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4 has the example.
    #[test]
    fn a_digest_begins_as_sha256_does() {
        assert_eq!(of(b"abc"), "ba7816bf8f01cfea");
    }
}
