//! Texts from files as messages show them.

/// A text from a file, short and on one line.
pub(crate) fn shown(text: &str) -> String {
    shortened(text, 60)
}

/// The first `longest` characters of a text, on one line.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().take(longest) {
        match c {
            '\'' | '"' => shown.push(c),
            c => shown.extend(c.escape_debug()),
        }
    }
    if text.chars().nth(longest).is_some() {
        shown.push_str("...");
    }
    shown
}

/// The first names of a list and, if there are more, their number.
pub(crate) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    const LISTED: usize = 20;
    let count = names.len();
    let mut listed = names.take(LISTED).map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    if count > LISTED {
        listed.push_str(&format!(", ... ({count} in all)"));
    }
    listed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(shown("the driver's \"age\""), "the driver's \"age\"");
        assert_eq!(shown(&"x".repeat(61)), format!("{}...", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), "x".repeat(60));
    }

    #[test]
    fn a_list_says_how_much_it_leaves_out() {
        let names: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(listed(names[..3].iter()), "0, 1, 2");
        assert!(listed(names.iter()).ends_with("18, 19, ... (21 in all)"));
    }
}
