//! Reads configurations.

use serde::Deserialize;

use crate::{
    config::Config,
    error::{Error, Result},
};

/// Reads a configuration and applies `key=value` overrides, such as `network.hidden=[128]` or
/// `phase.0.epochs=5`. Error messages call the text `name`.
///
/// ```
/// let config = onebit_train::config::parse("mine", r#"
///     method = "flip"
///     [data]
///     source = "iris"
///     [network]
///     hidden = [64]
///     thresholds = 3
///     [[phase]]
///     epochs = 10
///     batch = 32
///     suppressor = 1
/// "#, &["network.hidden=[128]".into()])?;
/// assert_eq!(config.network.hidden, [128]);
/// assert_eq!(config.phases()?[0].rate, 0.5); // 2^-1
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Config`] with line and key for an invalid text, [`Error::Setting`] for a value outside its range.
pub fn parse(name: &str, text: &str, overrides: &[String]) -> Result<Config> {
    let config = |source_name: &str, message: String| Error::Config {
        source_name: source_name.into(),
        message: message.replace('\n', " "),
    };
    // The text is read without overrides first, so that an error in it is reported with its line.
    let plain: Config = toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        config(name, format!("line {line}: {}", e.message()))
    })?;
    if overrides.is_empty() {
        plain.check()?;
        return Ok(plain);
    }
    let mut table: toml::Value = toml::from_str(text).map_err(|e| config(name, e.message().into()))?;
    for setting in overrides {
        set(&mut table, setting)?;
        // Checked after each override, so that the message names the invalid one.
        Config::deserialize(table.clone()).map_err(|e| config(setting, e.message().into()))?;
    }
    let result = Config::deserialize(table).map_err(|e| config(name, e.message().into()))?;
    result.check()?;
    Ok(result)
}

/// Returns the settings of a TOML text in their order, each as dotted key and value in TOML; empty if the
/// text is not valid TOML.
///
/// ```
/// let settings = onebit_train::config::flat("[network]\nhidden = [64]");
/// assert_eq!(settings, [("network.hidden".into(), "[64]".into())]);
/// ```
pub fn flat(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if let Ok(table) = toml::from_str::<toml::Value>(text) {
        flatten("", &table, &mut all);
    }
    all
}

fn flatten(key: &str, value: &toml::Value, all: &mut Vec<(String, String)>) {
    let inside = |name: &str| if key.is_empty() { name.to_string() } else { format!("{key}.{name}") };
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(name, value)| flatten(&inside(name), value, all))
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| flatten(&inside(&index.to_string()), value, all));
        }
        value => all.push((key.into(), value.to_string())),
    }
}

/// Applies one `key=value`. The key is a path with dots; an array takes an index.
fn set(table: &mut toml::Value, setting: &str) -> Result<()> {
    let wrong = |message: &str| Error::Config { source_name: setting.into(), message: message.into() };
    let (path, value) = setting.split_once('=').ok_or_else(|| wrong("expected key=value"))?;
    let value = value.trim();
    let written = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
    let value = written
        .and_then(|mut table| table.remove("value"))
        // TOML requires 0.5 and "all"; .5 and all are accepted too
        .or_else(|| value.parse().ok().map(toml::Value::Float))
        .unwrap_or_else(|| toml::Value::String(value.into()));
    let mut keys = path.trim().split('.').peekable();
    let mut at = table;
    while let Some(key) = keys.next() {
        let last = keys.peek().is_none();
        let slot = match at {
            toml::Value::Table(t) if last => {
                t.insert(key.into(), value);
                return Ok(());
            }
            toml::Value::Table(t) => t.entry(key).or_insert_with(|| toml::Value::Table(Default::default())),
            toml::Value::Array(a) => {
                let length = a.len();
                let index = key.parse::<usize>().ok().filter(|&i| i < length);
                let index = index.ok_or_else(|| wrong(&format!("`{key}` is not an index below {length}")))?;
                &mut a[index]
            }
            _ => return Err(wrong(&format!("`{key}` is a key of a value that has no keys"))),
        };
        if last {
            *slot = value;
            return Ok(());
        }
        at = slot;
    }
    Err(wrong("expected key=value"))
}
