//! What this program does in the namespaces that its tests make.

use super::*;
use crate::support::inside::in_the_namespace_made_for_it;

#[test]
#[ignore = "run by the others, in their namespaces"]
fn look_around() {
    in_the_namespace_made_for_it();
    runtime().block_on(async {
        for (source, shown) in scan(&wanted(&KERNEL)).await {
            assert!(shown.failed.is_empty(), "{shown:?}");
            for found in shown.found {
                println!("| {source}: {} {}", found.item, found.why);
            }
        }
    });
}

#[test]
#[ignore = "run by the others, in their namespaces"]
fn watch_and_look() {
    in_the_namespace_made_for_it();
    runtime().block_on(async {
        let mut watch = Watch::open(&KERNEL).unwrap();
        watch.know(&scan(&wanted(&KERNEL)).await);
        println!("| watching");
        loop {
            watch.changed().await;
            watch.know(&scan(&wanted(&KERNEL)).await);
            println!("| changed");
        }
    });
}

#[test]
#[ignore = "run by the others, in their namespaces"]
fn ask_without_waiting() {
    in_the_namespace_made_for_it();
    runtime().block_on(async {
        let mut watch = Watch::open(&KERNEL).unwrap();
        watch.know(&scan(&wanted(&KERNEL)).await);
        println!("| {}", watch.poll_changed());
        let add = |address: &str| {
            let mut ip = Command::new("ip");
            ip.args(["address", "add", address, "dev", "lo"]);
            assert!(ip.status().unwrap().success());
        };
        add("198.51.100.7/32");
        println!("| {}", watch.poll_changed());
        println!("| {}", watch.poll_changed());
        add("198.51.100.8/32");
        // Dropped while it gathers, and told the next time all the same.
        let dropped = tokio::time::timeout(Duration::from_millis(20), watch.changed()).await;
        println!("| {}", dropped.is_err());
        let told = tokio::time::timeout(Duration::from_secs(1), watch.changed()).await;
        println!("| {}", told.is_ok());
        watch.know(&scan(&wanted(&KERNEL)).await);
        // Known by now, though the message comes only after it.
        let told = tokio::time::timeout(Duration::from_millis(200), watch.changed()).await;
        println!("| {}", told.is_err());
    });
}
