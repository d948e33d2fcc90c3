//! Compares two descriptions of a run and names the first setting that differs.

use serde_json::{Map, Value};

use crate::error::CheckpointError;

/// Compares two JSON texts.
///
/// # Errors
/// [`CheckpointError::Setting`] with the first key that differs, [`CheckpointError::Header`] for a text that
/// is not JSON.
pub(crate) fn agree(saved: &str, here: &str) -> Result<(), CheckpointError> {
    let parse = |text| serde_json::from_str(text).map_err(|e| CheckpointError::Header(format!("`run`: {e}")));
    compare(&parse(saved)?, &parse(here)?, &[])
}

/// Compares two TOML texts, ignoring the keys in `free`.
///
/// # Errors
/// [`CheckpointError::Setting`] with the first key that differs, [`CheckpointError::Header`] for a text that
/// is not TOML.
pub(crate) fn agree_as_toml(saved: &str, here: &str, free: &[&str]) -> Result<(), CheckpointError> {
    let wrong = |e: toml::de::Error| CheckpointError::Header(format!("`configuration`: {}", e.message()));
    let parse = |text| toml::from_str::<Value>(text).map_err(wrong);
    compare(&parse(saved)?, &parse(here)?, free)
}

fn compare(saved: &Value, here: &Value, free: &[&str]) -> Result<(), CheckpointError> {
    match difference(String::new(), saved, here, free) {
        Some((key, saved, here)) => Err(CheckpointError::Setting { key, saved, here }),
        None => Ok(()),
    }
}

/// Returns the first key that differs, with its two values.
fn difference(key: String, saved: &Value, here: &Value, free: &[&str]) -> Option<(String, String, String)> {
    match (members(saved), members(here)) {
        _ if free.contains(&key.as_str()) => None,
        (Some(of_saved), Some(of_here)) => {
            let names = of_saved.keys().chain(of_here.keys().filter(|name| !of_saved.contains_key(*name)));
            let mut pairs = names.map(|name| {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                let of = |value: &Map<String, Value>| value.get(name).cloned().unwrap_or_default();
                difference(key, &of(&of_saved), &of(&of_here), free)
            });
            pairs.find_map(|pair| pair)
        }
        _ if saved == here => None,
        _ => {
            let shown = |value: &Value| if value.is_null() { "nothing".into() } else { value.to_string() };
            Some((key, shown(saved), shown(here)))
        }
    }
}

/// Returns the members of an object, or the items of a list of objects by their index.
fn members(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members.clone()),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            Some(items.iter().enumerate().map(|(index, item)| (index.to_string(), item.clone())).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let agree = |saved: &str, here: &str| agree_as_toml(saved, here, &["data.path"]);
        let base = "seed = 1\n[data]\npath = \"a\"\n[network]\nhidden = [64]\n[[phase]]\nrate = 0.1\n";
        agree(base, &base.replace("\"a\"", "\"b\"")).unwrap();
        agree(base, &base.replace("path = \"a\"\n", "")).unwrap();
        for (from, to, message) in [
            ("seed = 1", "seed = 2", "seed: the checkpoint has 1, this run has 2"),
            ("[64]", "[64, 3]", "network.hidden: the checkpoint has [64], this run has [64,3]"),
            ("rate = 0.1", "rate = 0.2", "phase.0.rate: the checkpoint has 0.1, this run has 0.2"),
            ("rate = 0.1", "", "phase.0.rate: the checkpoint has 0.1, this run has nothing"),
            ("rate = 0.1", "rate = 0.1\nx = 1", "phase.0.x: the checkpoint has nothing, this run has 1"),
            ("rate = 0.1", "rate = 0.1\n[[phase]]", "phase.1: the checkpoint has nothing, this run has {}"),
        ] {
            assert_eq!(agree(base, &base.replace(from, to)).unwrap_err().to_string(), message);
        }
    }
}
