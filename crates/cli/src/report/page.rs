//! A self-contained HTML page without scripts.

use std::fmt::Write;

/// Escapes text for HTML and replaces control characters.
pub(super) fn escaped(text: &str) -> String {
    let mut to = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => to += "&amp;",
            '<' => to += "&lt;",
            '>' => to += "&gt;",
            '"' => to += "&quot;",
            '\'' => to += "&#39;",
            c if c.is_control() && c != '\n' => to.push('\u{fffd}'),
            c => to.push(c),
        }
    }
    to
}

/// A figure with a line that says how to read it.
pub(super) struct Panel {
    title: String,
    how_to_read: String,
    body: String,
    wide: bool,
}

impl Panel {
    /// `body` is HTML; the rest is text.
    pub(super) fn new(title: impl Into<String>, how_to_read: impl Into<String>, body: String) -> Self {
        Self { title: title.into(), how_to_read: how_to_read.into(), body, wide: false }
    }

    /// Makes the panel as wide as the page.
    pub(super) fn wide(self) -> Self {
        Self { wide: true, ..self }
    }
}

/// Panels under a headline.
pub(super) struct Section {
    title: String,
    about: String,
    panels: Vec<Panel>,
}

impl Section {
    pub(super) fn new(title: impl Into<String>, about: impl Into<String>, panels: Vec<Panel>) -> Self {
        Self { title: title.into(), about: about.into(), panels }
    }
}

/// The page as HTML; sections without panels are left out.
pub(super) fn page(title: &str, head: &str, sections: &[Section]) -> String {
    let title = escaped(title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>{title}</h1>\n{head}</header>\n<main>\n"
    );
    for section in sections.iter().filter(|section| !section.panels.is_empty()) {
        let _ = writeln!(html, "<section>\n<h2>{}</h2>", escaped(&section.title));
        if !section.about.is_empty() {
            let _ = writeln!(html, "<p class=\"about\">{}</p>", escaped(&section.about));
        }
        html += "<div class=\"panels\">\n";
        for Panel { title, how_to_read, body, wide } in &section.panels {
            let class = if *wide { "panel wide" } else { "panel" };
            let (title, how) = (escaped(title), escaped(how_to_read));
            let _ = writeln!(
                html,
                "<figure class=\"{class}\"><figcaption><h3>{title}</h3><p>{how}</p></figcaption>\n\
                 {body}</figure>"
            );
        }
        html += "</div>\n</section>\n";
    }
    html + "</main>\n</body>\n</html>\n"
}

/// A table of text cells, with numbers aligned right.
pub(super) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cell = |text: &str| {
            let number = text.chars().next().is_some_and(|c| c.is_ascii_digit() || "+-.".contains(c));
            format!("<{tag}{}>{}</{tag}>", if number { " class=\"n\"" } else { "" }, escaped(text))
        };
        format!("<tr>{}</tr>", cells.map(cell).collect::<String>())
    };
    let head = if header.is_empty() {
        String::new()
    } else {
        format!("<thead>{}</thead>", cells("th", &mut header.iter().copied()))
    };
    let body: String = rows.iter().map(|row| cells("td", &mut row.iter().map(String::as_str))).collect();
    format!("<div class=\"scroll\"><table>{head}<tbody>{body}</tbody></table></div>")
}

const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_files_are_text() {
        assert_eq!(escaped("<script>&\"'\u{7}"), "&lt;script&gt;&amp;&quot;&#39;\u{fffd}");
        let panel = Panel::new("<b>", "<i>", String::new());
        let html = page("<title>", "", &[Section::new("<h1>", "<p>", vec![panel])]);
        for tag in ["<b>", "<i>", "<title><", "<h1><"] {
            assert!(!html.contains(tag), "{tag}");
        }
        assert!(table(&["<x>"], &[vec!["<y>".into()]]).contains("&lt;y&gt;"));
    }

    #[test]
    fn empty_sections_are_left_out() {
        assert!(!page("t", "", &[Section::new("nothing", "", vec![])]).contains("nothing"));
    }
}
