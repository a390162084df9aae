//! nginx access rules: `deny PREFIX;` per line, followed by the reason in a comment. `allow` makes
//! an exception. <https://nginx.org/en/docs/http/ngx_http_access_module.html>

use super::{Reader, lines};
use crate::feed::{Refused, foreign};
use crate::prefix::parse;

pub(super) fn read(text: &str, reader: &mut Reader) -> Result<(), Refused> {
    for (number, line, _) in lines(text) {
        let (rule, comment) = line.split_once('#').unwrap_or((line, ""));
        let rule = rule.trim_ascii();
        if rule.is_empty() {
            reader.comment(comment);
            continue;
        }
        if rule.contains(['{', '}']) {
            return foreign(format!(
                "line {number}: rules inside a block, which hold for a part of a server only"
            ));
        }
        // A semicolon ends a rule, so a truncated rule is invalid.
        let (verb, operand) = match rule
            .strip_suffix(';')
            .map(|rule| rule.split_once([' ', '\t']))
        {
            Some(Some((verb, operand))) => (verb, operand.trim()),
            _ => {
                reader.reject(number, line, "no rule that ends with a semicolon");
                continue;
            }
        };
        match verb {
            // The last line of most such files.
            "deny" | "allow" if operand == "all" => {}
            "deny" => reader.entry(number, operand, comment.trim()),
            "allow" => reader.exclude(number, line, parse(operand, reader.rules.host_bits)),
            _ => reader.reject(number, line, "neither deny nor allow"),
        }
    }
    Ok(())
}
