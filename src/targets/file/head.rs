//! The head of a file: who wrote it, how it is used, and whose lists are in it. How a family is
//! used is said in `texts/`.

use super::parts::sent;
use super::{FileInput, FileOptions, Lists, Role, Selected, too_many};

/// Every file with comments begins with it.
pub const WRITTEN: &str = "Written by nullrouted; changes made here are lost.";

/// What stands in a text for each of these names.
pub type Words = Vec<(&'static str, String)>;

/// The head as comments, with an empty one behind it. That of an edge says nothing of the set, nor
/// does that of a file without lists: these files are the same whatever is listed.
pub fn head(options: &FileOptions, input: &FileInput) -> String {
    let kind = options.family.kind();
    let (text, _) = kind.file(options.role);
    if text.is_empty() {
        return String::new();
    }
    let text = filled(text, &(kind.words)(options, input));
    let text = filled(
        &text,
        &[
            ("{number}", input.most().min(kind.most_routes).to_string()),
            ("{covers}\n", input.too_many_covers()),
            ("{sends}\n", sent::line(options)),
        ],
    );
    let uses = text.lines().map(str::to_owned);
    if options.role == Role::Edge || options.lists == Lists::None {
        let lines = [WRITTEN.to_owned(), String::new()].into_iter().chain(uses);
        return comments(kind.mark, lines);
    }
    let [v4, v6] = input.set().counts();
    let lines = [format!("{WRITTEN} {v4} IPv4 and {v6} IPv6 prefixes.")].into_iter();
    let lines = lines.chain(input.selected.iter().flat_map(selected));
    let lines = lines.chain([String::new()]).chain(uses);
    let lines = lines.chain(too_many(options, v4, v6));
    let credits = input.attributions.iter();
    let credits = credits.map(|credit| format!("Contains: {credit}"));
    comments(kind.mark, lines.chain(credits))
}

pub fn filled(text: &str, words: &[(&'static str, String)]) -> String {
    let fill = |text: String, (name, word): &(&str, String)| text.replace(name, word);
    words.iter().fold(text.to_owned(), fill)
}

/// What a router gets, in lines. Some routers cut a line at 254 characters.
fn selected(selected: &Selected) -> Vec<String> {
    let mut lines = vec!["Selected for this router:".to_owned()];
    for word in selected.to_string().split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < LONGEST => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if let Some(line) = lines.last_mut() {
        line.push('.');
    }
    lines
}

/// Longest line of those, in characters.
const LONGEST: usize = 100;

fn comments(mark: &str, lines: impl Iterator<Item = String>) -> String {
    let mut out = String::new();
    for line in lines.chain([String::new()]) {
        out.push_str(format!("{mark} {line}").trim_end());
        out.push('\n');
    }
    out
}
