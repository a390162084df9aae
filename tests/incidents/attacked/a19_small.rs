//! Limits without end, IPv4-mapped addresses, and a NUL in the configuration.

use crate::support::{NO_KERNEL, NOC, Place};

/// Refused with the reason.
pub fn limits_and_mapped() {
    let place = Place::new(&format!("{NOC}{NO_KERNEL}[limits]\nmax_added = \"inf%\"\n"));
    place.write("noc.list", "192.0.2.0/24\n");
    let why = "max_added: \"inf%\" is no limit: a share is from 0% to 1000000%";
    place.run(&["check"]).code(64).says(why);
    place.run(&["refresh"]).code(64).says(why);

    // Read as the IPv4 that it stands for, everywhere.
    let place = Place::of_list("192.0.2.0/24\n::ffff:198.51.100.1\n");
    let remark = "1 entry written as IPv4-mapped IPv6, read as IPv4";
    place.run(&["refresh"]).code(0).says(remark);
    let status = place.run(&["status", "--json"]).json();
    assert_eq!(status["feeds"][0]["remarks"]["mapped"], 1);
    assert!(place.run(&["status"]).out.contains(remark));
    let listed = "192.0.2.0/24\n198.51.100.1/32\n";
    assert_eq!(place.run(&["list"]).code(0).out, listed);
    for verb in ["add", "allow"] {
        let ran = place
            .run(&[verb, "::ffff:0:0/95", "--reason", "x"])
            .code(64);
        assert_eq!(
            ran.err,
            "::ffff:0:0/95: /95 of IPv4-mapped addresses: 0.0.0.0/0 is ::ffff:0:0/96, so the length is \
             from 96 to 128; nothing was changed\n"
        );
    }
    let add = ["add", "::ffff:203.0.113.0/120", "--reason", "x"];
    place.run(&add).code(0);
    let why = place.run(&["why", "--json", "::ffff:203.0.113.4"]).code(0);
    assert_eq!(why.json()["verdict"], "blackholed");
    assert_eq!(why.json()["route"], "203.0.113.0/24");
    place
        .run(&["allow", "::ffff:203.0.113.4", "--reason", "x"])
        .code(0);
    let listed = place.run(&["list"]).code(0).out;
    assert!(
        listed.contains("203.0.113.5/32") && !listed.contains("203.0.113.4/"),
        "{listed}"
    );
    let ran = place
        .run(&["add", "2002:c633:6401::/48", "--reason", "x"])
        .code(64);
    assert_eq!(
        ran.err,
        "2002:c633:6401::/48: a 6to4 form of an IPv4 network (RFC 3056): a route to it does not drop the \
         IPv4 packets; nothing was changed (add the IPv4 network)\n"
    );
    // The old form (RFC 4291, 2.5.5.1) is reserved space as well.
    place
        .run(&["add", "::203.0.113.4", "--reason", "x"])
        .code(64)
        .says("touches reserved space, ::/8: unspecified, loopback and IPv4-mapped (RFC 4291); nothing was changed");
    // What is protected.
    let place = Place::of_list("192.0.2.0/30\n");
    place.configure(&format!(
        "{NOC}{NO_KERNEL}[protect]\nprefixes = [\"::ffff:192.0.2.1\"]\n"
    ));
    place.run(&["refresh"]).code(0);
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.0/32", "192.0.2.2/31"]
    );
    place.write("allow.list", "192.0.2.2\n::ffff:192.0.2.1\n");
    place.configure(&format!(
        "{NOC}{NO_KERNEL}[protect]\nfiles = [\"allow.list\"]\n"
    ));
    place.run(&["refresh"]).code(0);
    assert_eq!(
        place.run(&["list"]).lines(),
        ["192.0.2.0/32", "192.0.2.3/32"]
    );

    place.configure("x = \"a\0b\"\n");
    let ran = place
        .run(&["check"])
        .code(64)
        .says("    2 | x = \"a\\u{0}b\"\n");
    assert!(!ran.err.contains('\0'), "{:?}", ran.err);
}
