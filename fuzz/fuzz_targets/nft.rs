#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nullrouted_fuzz::checks::run("nft", data));
