use super::*;
use crate::netlink::link::testing;
use crate::targets::kernel::Mark;

fn kernel(table: u32, rule: Option<u32>) -> KernelConfig {
    KernelConfig {
        enabled: true,
        mark: Mark {
            table,
            ..Mark::default()
        },
        withdraw_on_stop: false,
        rule,
        audit: KernelConfig::AUDIT,
        cover_more_specifics: false,
    }
}

/// The result for files with these values; each name other than `all` is an interface.
fn judge(values: &[(&str, &str)], kernel: &KernelConfig) -> Sources {
    judge_vrfs(values, &[], kernel)
}

/// The same with some of them in VRFs, each of which has a table.
fn judge_vrfs(values: &[(&str, &str)], vrfs: &[(&str, u32)], kernel: &KernelConfig) -> Sources {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in values {
        let conf = folder.path().join("proc/sys/net/ipv4/conf").join(name);
        std::fs::create_dir_all(&conf).unwrap();
        std::fs::write(conf.join("rp_filter"), format!("{value}\n")).unwrap();
    }
    let names = values.iter().map(|(name, _)| *name);
    let names = names.filter(|name| *name != "all");
    let table = |name: &str| vrfs.iter().find(|(of, _)| *of == name).map(|vrf| vrf.1);
    let interfaces = names.map(|name| (name.to_owned(), table(name))).collect();
    sources(&Root::at(folder.path()), &interfaces, kernel)
}

#[test]
fn the_larger_of_all_and_the_interface_counts() {
    let main = kernel(254, None);
    let mixed = [("all", "0"), ("eth0", "2"), ("eth1", "1"), ("wan0.7", "0")];
    let said = judge(&mixed, &main);
    assert_eq!(
        said.to_string(),
        "IPv4 packets from listed networks are dropped on eth1 (strict), eth0 (loose); \
         NOT dropped on wan0.7: net.ipv4.conf.wan0/7.rp_filter = 0; IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")"
    );
    let dropped: Vec<bool> = said.ipv4.iter().map(|one| one.dropped).collect();
    assert_eq!(dropped, [true, true, false]);

    let all = [("all", "2"), ("eth0", "0"), ("eth1", "1")];
    assert_eq!(
        judge(&all, &main).to_string(),
        "IPv4 packets from listed networks are dropped on eth0, eth1 (loose); IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")"
    );
}

#[test]
fn what_cannot_be_read_is_not_claimed_and_many_fit_the_line() {
    let main = kernel(254, None);
    let odd = [("all", "0"), ("eth0", "what"), ("eth1", "0")];
    let said = judge(&odd, &main).to_string();
    assert!(
        said.starts_with(
            "IPv4 packets from listed networks are NOT dropped on eth1: net.ipv4.conf.eth1.rp_filter = 0; IPv4 unknown on eth0;"
        ),
        "{said}"
    );
    let names: Vec<String> = (0..300).map(|i| format!("vlan{i:03}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "0")).collect();
    let said = judge(&many, &main).to_string();
    assert_eq!(
        said,
        "IPv4 packets from listed networks are NOT dropped on vlan000, vlan001, vlan002, vlan003 and 296 more: net.ipv4.conf.*.rp_filter = 0; \
         IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")"
    );
    let none = judge(&[], &main).to_string();
    assert!(none.starts_with("IPv4: no interface is up;"));
}

#[test]
fn a_table_that_no_rule_of_ours_leads_to_is_no_promise() {
    let eth0 = [("all", "0"), ("eth0", "1")];
    let led = judge(&eth0, &kernel(1166, Some(5000)));
    assert_eq!((led.only_with_a_rule_to, led.ipv4[0].dropped), (None, true));
    let alone = judge(&eth0, &kernel(1166, None));
    assert!(!alone.ipv4[0].dropped);
    let alone = judge(&eth0, &kernel(1166, None)).to_string();
    assert!(
        alone.ends_with("; all as far as a rule leads to table 1166"),
        "{alone}"
    );
}

#[test]
fn a_member_of_a_vrf_drops_where_our_table_is_that_of_its_vrf() {
    let values = [("all", "2"), ("eth0", "0"), ("eth1", "1"), ("eth2", "0")];
    let vrfs = [("eth1", 10), ("eth2", 20)];
    let dropped = |said: &Sources| -> Vec<bool> {
        let each = said.ipv4.iter();
        each.map(|one| one.dropped).collect()
    };
    let said = judge_vrfs(&values, &vrfs, &kernel(254, None));
    assert_eq!(dropped(&said), [true, false, false]);
    assert_eq!(
        said.to_string(),
        "IPv4 packets from listed networks are dropped on eth0 (loose); not sure on eth1, eth2: in a VRF with another table; \
         IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\")"
    );
    // It is not checked whether our rule comes before that of the VRFs.
    let said = judge_vrfs(&values, &vrfs, &kernel(1166, Some(500)));
    assert_eq!(dropped(&said), [true, false, false]);
    let said = judge_vrfs(&values, &vrfs, &kernel(10, None));
    assert_eq!(dropped(&said), [false, true, false]);
    assert_eq!(
        said.to_string(),
        "IPv4 packets from listed networks are dropped on eth0, eth1 (loose); not sure on eth2: in a VRF with another table; \
         IPv6 needs nftables (doc/operating.md, \"To a listed network, and from it\"); outside of its VRF all as far as a rule leads to table 10"
    );
    let alone = judge_vrfs(&values[..3], &vrfs[..1], &kernel(254, None));
    assert_eq!(dropped(&alone), [true, false]);
    let only = [("all", "0"), ("eth1", "2")];
    let said = judge_vrfs(&only, &vrfs, &kernel(254, None)).to_string();
    assert!(
        said.starts_with("IPv4 not sure on eth1: in a VRF with another table;"),
        "{said}"
    );
    // Without a filter it is certain: nothing is dropped.
    let only = [("all", "0"), ("eth1", "0")];
    let said = judge_vrfs(&only, &vrfs, &kernel(254, None)).to_string();
    assert!(
        said.starts_with("IPv4 packets from listed networks are NOT dropped on eth1:"),
        "{said}"
    );
}

#[test]
fn only_links_that_are_up_and_ipv4_addresses_count() {
    let (up, lo) = (IFF_UP, IFF_UP | IFF_LOOPBACK);
    let links = [
        testing::link(1, "lo", lo, None),
        testing::link(2, "wan0", up, None),
        testing::link(3, "down", 0, None),
        testing::link(4, "br0", up, None),
        testing::vrf(5, "red", 10),
        testing::member(6, "eth1", 5),
        testing::member(7, "eth2", 4),
        testing::link(8, "bare", up, None),
        testing::member(9, "port", 4),
    ];
    let links = links.iter().filter_map(|link| Link::read(link));
    let links = links.map(|link| (link.index, link)).collect();
    let found = entered(&links, &[1, 2, 2, 3, 4, 5, 6, 7, 99]);
    let found: Vec<_> = found
        .iter()
        .map(|(name, table)| (&**name, *table))
        .collect();
    let expected = [
        ("bare", None),
        ("br0", None),
        ("eth1", Some(10)),
        ("eth2", None),
        ("wan0", None),
    ];
    assert_eq!(found, expected);
}
