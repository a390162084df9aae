//! BGP neighbors in BIRD 2 and 3: what `birdc show protocols all` prints (`bgp_show_proto_info`,
//! proto/bgp/bgp.c), and its configuration (<https://bird.nic.cz/doc/bird-2.0.12.html>).

use std::collections::BTreeSet;

use super::{Reader, address, origin, range};
use crate::prefix::Item;

/// Reads `Neighbor address:`, `Neighbor range:` and `Neighbor AS:`.
#[derive(Debug, Default)]
pub struct Status {
    found: BTreeSet<Item>,
}

impl Reader for Status {
    fn line(&mut self, line: &str) {
        match line.trim().split_once(':') {
            Some(("Neighbor address", value)) => {
                self.found.extend(address(value.trim()).map(Item::Prefix))
            }
            Some(("Neighbor AS", value)) => self.found.extend(origin(value.trim())),
            Some(("Neighbor range", value)) => {
                self.found.extend(range(value.trim()).map(Item::Prefix))
            }
            _ => {}
        }
    }

    fn found(self) -> BTreeSet<Item> {
        self.found
    }
}

/// Reads `neighbor ADDRESS as ASN` and `neighbor range PREFIX as ASN` of a configuration; included
/// files are not followed.
#[derive(Debug, Default)]
pub struct Config {
    within: Within,
    word: String,
    before: Before,
    found: BTreeSet<Item>,
}

/// The current position in the text.
#[derive(Debug, Default, PartialEq)]
enum Within {
    #[default]
    Code,
    Comment,
    Quotes,
}

/// The meaning of the words before.
#[derive(Debug, Default)]
enum Before {
    #[default]
    Other,
    Neighbor,
    Range,
    /// Behind the address of a neighbor.
    Session,
    As,
}

impl Reader for Config {
    fn line(&mut self, line: &str) {
        let mut characters = line.chars().peekable();
        while let Some(character) = characters.next() {
            match (&self.within, character, characters.peek()) {
                (Within::Comment, '*', Some('/')) => {
                    characters.next();
                    self.within = Within::Code;
                }
                (Within::Comment, ..) => {}
                (Within::Quotes, '"', _) => self.within = Within::Code,
                (Within::Quotes, ..) => {}
                (Within::Code, '#', _) => break,
                (Within::Code, '/', Some('*')) => {
                    characters.next();
                    self.end_of_word();
                    self.within = Within::Comment;
                }
                (Within::Code, '"', _) => {
                    self.end_of_word();
                    self.before = Before::Other;
                    self.within = Within::Quotes;
                }
                (Within::Code, ';' | '{' | '}', _) => {
                    self.end_of_word();
                    self.before = Before::Other;
                }
                (Within::Code, blank, _) if blank.is_whitespace() => self.end_of_word(),
                (Within::Code, other, _) => self.word.push(other),
            }
        }
        self.end_of_word();
        // A quoted text ends with its line.
        if self.within == Within::Quotes {
            self.within = Within::Code;
        }
    }

    fn found(self) -> BTreeSet<Item> {
        self.found
    }
}

impl Config {
    fn end_of_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        self.before = match (&self.before, word.as_str()) {
            (_, "") => return,
            (Before::Neighbor, "range") => Before::Range,
            (Before::Neighbor, who) => {
                self.found.extend(address(who).map(Item::Prefix));
                Before::Session
            }
            (Before::Range, net) => {
                self.found.extend(range(net).map(Item::Prefix));
                Before::Session
            }
            (Before::Session, "as") => Before::As,
            (Before::Session, _) => Before::Session,
            (Before::As, asn) => {
                self.found.extend(origin(asn));
                Before::Other
            }
            (Before::Other, "neighbor") => Before::Neighbor,
            (Before::Other, _) => Before::Other,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::text::read;

    #[test]
    fn the_status_shows_neighbors_that_are_up_and_down() {
        let text = "BIRD 2.0.12 ready.
Access restricted
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     12:00:00.000  

upstream4  BGP        ---        up     12:00:00.000  Established   
  Description:    Neighbor address: 192.0.2.66
  BGP state:          Established
    Neighbor address: 198.51.100.1
    Neighbor AS:      64500
    Local AS:         64510
    Neighbor ID:      198.51.100.9
  Channel ipv4
    State:          UP
    BGP Next hop:   198.51.100.2

link6      BGP        ---        start  12:00:00.000  Active        Socket: Connection refused
  BGP state:          Active
    Neighbor address: fe80::1%eth0
    Neighbor AS:      65000

upstream6  BGP        ---        down   12:00:00.000  
  BGP state:          Down
    Neighbor address: 2001:db8::1%eth0

customers  BGP        ---        up     12:00:00.000  Passive       
  BGP state:          Passive
    Neighbor range:   203.0.113.0/24
";
        assert_eq!(
            read::<Status>(text),
            [
                "198.51.100.1/32",
                "203.0.113.0/24",
                "2001:db8::1/128",
                "AS64500"
            ]
        );
    }

    /// As BIRD 3.1.8 prints it.
    #[test]
    fn the_status_of_bird_3_shows_neighbors_that_are_up_and_down() {
        let text = "BIRD 3.1.8 ready.
Access restricted
Name       Proto      Table      State  Since         Info
upstream4  BGP        ---        up     14:17:10.006  Established   
  Created:            14:17:09.081
  BGP state:          Established
    Neighbor address: 198.51.100.1
    Neighbor AS:      65020
    Local AS:         65000
    Neighbor ID:      198.51.100.1
    Session:          external AS4
    TX pending:       0 bytes
    Send hold timer:  394.522/480
  Channel ipv4
    State:          UP
    Import state:   UP
    Export state:   READY
    Table:          master4

link6      BGP        ---        start  14:17:09.081  Active        Socket: Connection closed
  Created:            14:17:09.081
  BGP state:          Active
    Neighbor address: fe80::1%eth0

customers  BGP        ---        start  14:17:09.081  Passive       
  Created:            14:17:09.081
  BGP state:          Passive
    Neighbor range:   203.0.113.0/24
";
        assert_eq!(read::<Status>(text), ["198.51.100.1/32", "203.0.113.0/24"]);
    }

    #[test]
    fn the_configuration_shows_neighbors_outside_comments_and_texts() {
        let text = r#"
log syslog all; # neighbor 192.0.2.1 as 1;
define OURAS = 65001;
/* protocol bgp old { neighbor 192.0.2.2 as 2;
   neighbor 192.0.2.3 as 3; } */
template bgp upstreams { local as OURAS; hold time 90; }
protocol bgp upstream4 from upstreams {
	description "neighbor 192.0.2.4 as 4";
	neighbor 198.51.100.1 as 64500;
}
protocol bgp upstream6 { local 2001:db8::2 as OURAS;neighbor 2001:db8::1/* their router */ as 65000;}
protocol bgp odd { neighbor 198.51.100.5
	port 1179 as 64501; }
protocol bgp inside { neighbor 10.0.0.9 internal; }
protocol bgp linked { neighbor fe80::1 % 'eth0' as 64503; neighbor fe80::2%eth0 as 65000; }
protocol bgp customers { neighbor range 203.0.113.0/24 as 64502; dynamic name "c"; }
protocol bgp anybody { neighbor range ::/0 external; }
protocol bgp named { neighbor PEER as 65000; }
protocol ospf v2 { area 0 { interface "eth2" { neighbors { 192.0.2.5; }; }; }; }
"#;
        assert_eq!(
            read::<Config>(text),
            [
                "10.0.0.9/32",
                "198.51.100.1/32",
                "198.51.100.5/32",
                "203.0.113.0/24",
                "2001:db8::1/128",
                "AS64500",
                "AS64501",
                "AS64502",
                "AS64503",
            ]
        );
    }
}
