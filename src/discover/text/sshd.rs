//! Ports of the ssh server in sshd_config(5).

/// The port that a line names, with `Port` or after the host of `ListenAddress`; `None` for other
/// lines.
pub fn port(line: &str) -> Option<u16> {
    let mut words = line.split(|c: char| c.is_whitespace() || c == '=');
    let mut words = words.by_ref().filter(|word| !word.is_empty());
    let (keyword, value) = (words.next()?, words.next()?.trim_matches('"'));
    if keyword.eq_ignore_ascii_case("Port") {
        return value.parse().ok();
    }
    if !keyword.eq_ignore_ascii_case("ListenAddress") {
        return None;
    }
    let (host, port) = value.rsplit_once(':')?;
    // An IPv6 address with a port is in brackets; without brackets the whole value is the address.
    let bare = host.contains(':') && !host.ends_with(']');
    (!bare).then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_wherever_a_server_takes_them_from() {
        let text = "# Port 1\n#Port 2\nPort 22\nport=2222\n  Port \"2200\"\nPort many\nPortForwarding 4\n\
            ListenAddress 192.0.2.1:2022\nListenAddress [2001:db8::1]:2023\nListenAddress 2001:db8::5\n\
            ListenAddress 0.0.0.0\nListenAddress gate.example:2024 rdomain red\nPermitRootLogin no\n\
            Match User a\nGatewayPorts yes\n";
        let ports: Vec<_> = text.lines().filter_map(port).collect();
        assert_eq!(ports, [22, 2222, 2200, 2022, 2023, 2024]);
    }
}
