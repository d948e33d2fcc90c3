//! The classes: their column and, if they are imbalanced, their sizes.

use onebit::{Split, data::Dataset};
use serde_json::json;

use crate::{
    failure::Result,
    output,
    text::{guessed_target, percent},
};

/// Number of classes listed at most.
const LISTED: usize = 8;

/// Prints the target column, if it was guessed, and the size of each class, if the sizes differ a lot.
pub(crate) fn print(parts: &Split, target: Option<&str>) -> Result<()> {
    if let Some(target) = target {
        output::line(guessed_target(target))?;
    }
    match imbalance(&counts(parts)) {
        Some(text) => output::line(text),
        None => Ok(()),
    }
}

/// [`print`] as a JSON object, if there is anything to print.
pub(crate) fn json(parts: &Split, target: Option<&str>) -> Result<()> {
    let counts = counts(parts);
    if target.is_none() && imbalance(&counts).is_none() {
        return Ok(());
    }
    let classes: Vec<_> =
        counts.iter().map(|(label, samples)| json!({"class": label, "samples": samples})).collect();
    output::json(&json!({"event": "data", "target": target, "classes": classes}))
}

/// The number of samples of each class in all parts together.
fn counts(parts: &Split) -> Vec<(&str, usize)> {
    let all: Vec<&Dataset> =
        [Some(&parts.train), parts.validation.as_ref(), parts.test.as_ref()].into_iter().flatten().collect();
    let of_each: Vec<Vec<usize>> = all.iter().map(|part| part.class_counts()).collect();
    let sum = |class: usize| of_each.iter().map(|counts| counts.get(class).copied().unwrap_or(0)).sum();
    parts.train.label_names().iter().enumerate().map(|(class, label)| (label.as_str(), sum(class))).collect()
}

/// A line about the class sizes if the largest class is at least 1.5 times the smallest.
fn imbalance(counts: &[(&str, usize)]) -> Option<String> {
    let mut counts = counts.to_vec();
    counts.sort_by_key(|(_, samples)| std::cmp::Reverse(*samples)); // stable: the first of equals stays first
    let ((majority, most), (smallest, least)) = (*counts.first()?, *counts.last()?);
    if 2 * most < 3 * least || most == 0 {
        return None;
    }
    let mut listed =
        counts.iter().take(LISTED).map(|(label, n)| format!("{label} {n}")).collect::<Vec<_>>().join(", ");
    if counts.len() > LISTED {
        listed.push_str(&format!(", ... ({} classes, the smallest {smallest} {least})", counts.len()));
    }
    let share = most as f64 / counts.iter().map(|(_, samples)| samples).sum::<usize>() as f64;
    Some(format!(
        "classes: {listed} (majority {}: an accuracy below that is worse than always answering {majority})",
        percent(Some(share))
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imbalance_is_one_line() {
        assert_eq!(imbalance(&[("a", 50), ("b", 40), ("c", 45)]), None);
        let said = "classes: a 500, b 40, c 12 (majority 90.58 %: an accuracy below that is worse than \
                    always answering a)";
        assert_eq!(imbalance(&[("c", 12), ("a", 500), ("b", 40)]).as_deref(), Some(said));
        let names: Vec<String> = (0..30).map(|n| format!("c{n}")).collect();
        let many: Vec<(&str, usize)> = names.iter().map(String::as_str).zip(100..).collect();
        assert_eq!(imbalance(&many), None);
        let many: Vec<(&str, usize)> = names.iter().map(String::as_str).zip(1..).collect();
        let said = imbalance(&many).unwrap();
        assert!(said.contains("c22 23, ... (30 classes, the smallest c0 1)"), "{said}");
    }
}
