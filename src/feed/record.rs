//! The publisher's page about a listing. Pure.

use ipnet::IpNet;

use super::preset::preset;

/// The page of an SBL record; answers of Spamhaus's DNS name it
/// (<https://check.spamhaus.org/sbl/query/SBL2>).
const SBL: &str = "https://check.spamhaus.org/sbl/query/";

/// The page about a listing; `preset_name` is the preset that the feed was made from. An SBL number
/// is Spamhaus's, on whatever list it stands.
pub fn link(preset_name: Option<&str>, reference: &str, listed: IpNet) -> Option<String> {
    let number = reference.split_whitespace().next().unwrap_or_default();
    let digits = number.strip_prefix("SBL").unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("{SBL}{number}"));
    }
    let page = preset(preset_name?)?.record?;
    Some(page.replace("{address}", &listed.addr().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_its_page() {
        let net = |text: &str| text.parse::<IpNet>().unwrap();
        let sbl = link(None, "SBL621371", net("72.37.186.0/23"));
        let page = "https://check.spamhaus.org/sbl/query/SBL621371";
        assert_eq!(sbl.as_deref(), Some(page));
        let feodo = link(Some("feodo"), "Emotet", net("192.0.2.9/32"));
        let page = "https://feodotracker.abuse.ch/browse/host/192.0.2.9/";
        assert_eq!(feodo.as_deref(), Some(page));
        for (preset, reference) in [(None, "SBLCSS"), (Some("cins"), "x"), (None, "")] {
            assert_eq!(link(preset, reference, net("192.0.2.9/32")), None);
        }
    }
}
