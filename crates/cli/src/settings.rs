//! Configurations by name: presets and TOML files.

use std::{fs, path::Path};

use onebit::config::{self, Config};

use crate::failure::{Failure, Result};

/// Reads the preset or file `name` and applies `KEY=VALUE` changes.
pub(crate) fn read_config(name: &str, changes: &[String]) -> Result<Config> {
    let text = match config::preset_text(name) {
        Ok(text) => text.to_string(),
        Err(unknown) if !name.ends_with(".toml") && !Path::new(name).exists() => return Err(unknown.into()),
        Err(_) => fs::read_to_string(name).map_err(|e| Failure::other(format!("{name}: {e}")))?,
    };
    let config = config::parse(name, &text, &[])?;
    if changes.is_empty() {
        return Ok(config);
    }
    // The text alone is valid, so an error now is one of a flag.
    config::parse(name, &text, changes).map_err(|e| Failure::flag(format!("--set {e}")))
}
