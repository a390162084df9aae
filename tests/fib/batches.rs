//! Requests by the hundred: refusals by number, answers that are lost.

use netlink_packet_core::{
    NLM_F_CREATE, NLM_F_EXCL, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use nullrouted::netlink::{Answer, Refusal, Requests};
use nullrouted::target::kernel::Fib;

use crate::hands::{all, in_step, runtime, set};
use crate::support::Ran;
use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::Namespace;

/// One of the tests of this program, in the namespace.
#[track_caller]
pub fn inside(router: &Namespace, test: &str) {
    let ran = Ran::of(router.test_inside(test).output().unwrap());
    ran.code(0).says("1 passed");
}

#[test]
fn refusals_come_back_by_number_with_the_kernels_own_words() {
    let Some(router) = Namespace::new() else {
        return;
    };
    router.ip("route add blackhole 192.0.2.0/24 proto static");
    let before = router.foreign();
    inside(&router, "batches::send_some_that_are_refused");
    assert_eq!(router.foreign(), before);
    assert_eq!(router.ours().len(), 2);
}

fn add(prefix: &str) -> NetlinkMessage<RouteNetlinkMessage> {
    let (address, length) = prefix.split_once('/').unwrap();
    let mut route = RouteMessage::default();
    route.header.address_family = netlink_packet_route::AddressFamily::Inet;
    route.header.destination_prefix_length = length.parse().unwrap();
    route.header.table = 254;
    route.header.protocol = 166.into();
    route.header.kind = RouteType::BlackHole;
    let address = RouteAddress::Inet(address.parse().unwrap());
    route.attributes = vec![RouteAttribute::Destination(address)];
    let payload = NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewRoute(route));
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), payload);
    message.header.flags = NLM_F_CREATE | NLM_F_EXCL;
    message
}

#[test]
#[ignore = "run by refusals_come_back_by_number_with_the_kernels_own_words, in its namespace"]
fn send_some_that_are_refused() {
    in_the_namespace_made_for_it();
    runtime().block_on(async {
        let mut requests = Requests::open().unwrap();
        for round in 0..2 {
            let prefixes = [
                "72.37.186.0/23",
                "192.0.2.0/24",
                "203.0.113.1/24",
                "198.51.100.0/24",
            ];
            for prefix in prefixes {
                assert!(requests.push(&mut add(prefix)));
            }
            let Answer::Done(refusals) = requests.send().await.unwrap() else {
                panic!("lost");
            };
            let said: Vec<String> = refusals
                .iter()
                .map(
                    |Refusal {
                         index,
                         errno,
                         words,
                     }| format!("{index} {errno:?} {words:?}"),
                )
                .collect();
            let host_bits = "2 EINVAL Some(\"Invalid prefix for given prefix length\")";
            match round {
                0 => assert_eq!(said, ["1 EEXIST None", host_bits]),
                _ => assert_eq!(said.len(), 4, "{said:?}"),
            }
        }
        assert_eq!(
            requests.send().await.unwrap(),
            Answer::Done(vec![]),
            "nothing is packed"
        );
    });
}

/// Every second place is taken, and the socket has room for a few answers only.
#[test]
fn answers_that_are_lost_are_made_up_for_by_reading() {
    let Some(router) = Namespace::new() else {
        return;
    };
    inside(&router, "batches::install_with_hardly_any_room_for_answers");
}

#[test]
#[ignore = "run by answers_that_are_lost_are_made_up_for_by_reading, in its namespace"]
fn install_with_hardly_any_room_for_answers() {
    in_the_namespace_made_for_it();
    // None can be joined with another.
    let net = |n: u32| format!("72.{}.{}.0/24", n >> 7, (n & 127) * 2);
    let taken: String = (0..1_000)
        .map(|n| format!("route add prohibit {} proto static\n", net(2 * n)))
        .collect();
    crate::hands::batch(&taken);
    let nets: Vec<String> = (0..2_000).map(net).collect();
    let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
    runtime().block_on(async {
        let mut fib = Fib::default().with_room(4_096).unwrap();
        let report = in_step(&mut fib, &set(&nets), false).await;
        assert_eq!(
            (report.added, report.failed),
            (1_000, 0),
            "{:?}",
            report.first_failure
        );
        assert_eq!(report.occupied.len(), 1_000);
        assert_eq!(
            all::<u32>().await.iter().filter(|one| one.ours).count(),
            1_000
        );
        let report = in_step(&mut fib, &set(&[]), false).await;
        assert_eq!((report.removed, report.failed), (1_000, 0));
        assert_eq!(all::<u32>().await.len(), 1_000, "theirs stay");
    });
}
