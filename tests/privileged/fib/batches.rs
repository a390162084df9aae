//! Requests by the hundred: refusals by number, answers that are lost.

use netlink_packet_core::{
    NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use nullrouted::netlink::{Answer, Refusal, Requests};
use nullrouted::targets::kernel::Fib;

use super::hands::{all, runtime, set, sync};
use crate::support::inside::in_the_namespace_made_for_it;
use crate::support::namespace::Namespace;
use crate::support::{NOC, PROGRAM, Place, Ran, installed, left_out};

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
    inside(&router, "fib::batches::send_some_that_are_refused");
    assert_eq!(router.foreign(), before);
    assert_eq!(router.ours().len(), 2);
}

/// The kernel refuses nothing that we ask it for, so `strace` makes one length of a prefix wrong on
/// its way there.
#[test]
fn why_the_kernel_refuses_a_route_is_read_by_the_operator_in_its_own_words() {
    if !installed("strace") {
        return left_out("strace is not installed");
    }
    let list = "72.37.186.0/23\n198.51.100.0/24\n";
    let ground = || {
        let place = Place::new(NOC);
        place.write("noc.list", list);
        Some((Namespace::new()?, place))
    };
    let refresh = |(router, place): &(Namespace, Place), options: &[&str]| {
        let mut strace = router.command("strace");
        let log = place.path("log");
        strace.args(["-f", "-qq", "-e", "trace=sendto", "-o"]);
        strace.arg(log).args(options).arg(PROGRAM);
        let ran = place.command(strace, &["refresh"]).output();
        Ran::of(ran.unwrap())
    };
    let (Some(first), Some(second)) = (ground(), ground()) else {
        return;
    };
    // Which of the calls has our routes.
    refresh(&first, &[]).code(0);
    let log = first.1.read("log");
    let call = log.lines().position(|line| line.contains("RTM_NEWROUTE"));
    let call = call.unwrap() + 1;

    // Up to the length of the first one (`struct nlmsghdr`, `rtmsg`): 72.37.186.0/21 has bits
    // behind its length.
    let mut request = add("72.37.186.0/21");
    request.header.flags |= NLM_F_REQUEST;
    request.header.sequence_number = 1;
    request.finalize();
    // Ours names its table once more.
    request.header.length += 8;
    let mut bytes = vec![0; request.buffer_len() + 8];
    request.serialize(&mut bytes);
    let hex: String = bytes[..18]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let inject = format!("inject=sendto:poke_enter=@arg2={hex}:when={call}");
    let why = "72.37.186.0/23 not added: Invalid argument (Invalid prefix for given prefix length)";
    let (router, place) = &second;
    refresh(&second, &["-e", &inject]).code(1).says(why);
    let failed = format!("target kernel  FAILED  added 1, removed 0, kept 0, failed 1; {why}");
    place.run_in(router, &["status"]).says(&failed);
    assert_eq!(router.ours(), ["blackhole 198.51.100.0/24"]);
    place
        .run_in(router, &["refresh"])
        .code(0)
        .says("added 1, removed 0, kept 1, failed 0");
    let status = place.run_in(router, &["status"]).code(0);
    assert!(!status.out.contains("not added"), "{}", status.out);
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
    inside(
        &router,
        "fib::batches::install_with_hardly_any_room_for_answers",
    );
}

/// So many messages for sockets of this process found no room (`Drops`, netlink(7)).
fn lost() -> u64 {
    let sockets = std::fs::read_to_string("/proc/self/net/netlink").unwrap();
    let mut lines = sockets.lines().map(str::split_whitespace);
    let names: Vec<&str> = lines.next().unwrap().collect();
    let drops = names.iter().position(|name| *name == "Drops").unwrap();
    lines
        .map(|mut line| line.nth(drops).unwrap().parse::<u64>().unwrap())
        .sum()
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
    super::hands::batch(&taken);
    let nets: Vec<String> = (0..2_000).map(net).collect();
    let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
    runtime().block_on(async {
        assert_eq!(lost(), 0);
        let mut fib = Fib::default().with_room(4_096).unwrap();
        let report = sync(&mut fib, &set(&nets), false).await;
        assert_eq!(
            (report.added, report.failed),
            (1_000, 0),
            "{:?}",
            report.first_failure
        );
        assert!(lost() > 0, "the answers had room: nothing was tested");
        assert_eq!(report.occupied.len(), 1_000);
        assert_eq!(
            all::<u32>().await.iter().filter(|one| one.ours).count(),
            1_000
        );
        let report = sync(&mut fib, &set(&[]), false).await;
        assert_eq!((report.removed, report.failed), (1_000, 0));
        assert_eq!(all::<u32>().await.len(), 1_000, "theirs stay");
    });
}
