//! Limits without end, IPv4-mapped addresses, and a NUL in the configuration.

use crate::support::{NO_KERNEL, NOC, Place};

/// Refused with the reason.
pub fn limits_and_mapped() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}[limits]\nmax_added = \"inf%\"\n"));
    place.write("noc.list", "192.0.2.0/24\n");
    let why = "max_added: \"inf%\" is no limit: a share is from 0% to 1000000%";
    place.run(&["check"]).code(64).says(why);
    place.run(&["refresh"]).code(64).says(why);

    let place = Place::of_list("192.0.2.0/24\n::ffff:198.51.100.1\n");
    place.run(&["refresh"]).code(0);
    assert_eq!(place.run(&["list"]).code(0).out, "192.0.2.0/24\n");
    let mapped = "an IPv4-mapped address: packets to it are IPv4 packets, so as IPv6 it has no effect; write";
    for verb in ["add", "allow"] {
        for (net, shown, instead) in [
            (
                "::ffff:203.0.113.4",
                "::ffff:203.0.113.4/128",
                "203.0.113.4",
            ),
            (
                "::ffff:203.0.113.0/120",
                "::ffff:203.0.113.0/120",
                "203.0.113.0/24",
            ),
        ] {
            let ran = place.run(&[verb, net, "--reason", "x"]).code(64);
            assert_eq!(
                ran.err,
                format!("{shown}: {mapped} {instead}; nothing was changed\n")
            );
        }
    }
    // The old form (RFC 4291, 2.5.5.1) is reserved space as well.
    place
        .run(&["add", "::203.0.113.4", "--reason", "x"])
        .code(64)
        .says("touches reserved space, ::/8: unspecified, loopback and IPv4-mapped (RFC 4291); nothing was changed");
    assert_eq!(place.run(&["list"]).code(0).out, "192.0.2.0/24\n");
    place.configure(&format!(
        "{NOC}{NO_KERNEL}[protect]\nprefixes = [\"::ffff:192.0.2.4\"]\n"
    ));
    place.run(&["check"]).code(64).says(&format!(
        "prefixes: \"::ffff:192.0.2.4\": {mapped} 192.0.2.4"
    ));
    place.write("allow.list", "192.0.2.9\n::ffff:192.0.2.4\n");
    place.configure(&format!(
        "{NOC}{NO_KERNEL}[protect]\nfiles = [\"allow.list\"]\n"
    ));
    place.run(&["check"]).code(64).says(&format!(
        "allow.list: line 2: ::ffff:192.0.2.4/128: {mapped} 192.0.2.4"
    ));

    place.configure("x = \"a\0b\"\n");
    let ran = place
        .run(&["check"])
        .code(64)
        .says("    2 | x = \"a\\u{0}b\"\n");
    assert!(!ran.err.contains('\0'), "{:?}", ran.err);
}
