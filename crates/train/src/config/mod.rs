//! The configuration of a run as a TOML text: data, network, method, phases. Presets are such texts.
//!
//! | module | contents |
//! |---|---|
//! | `schema` | the keys of the text and their values |
//! | `parse` | reads a text and applies `key=value` overrides; `named` reads a choice by its name |
//! | `check` | checks the values, and which keys a method takes |
//! | `options` | the options of network and training that they resolve to |
//! | `presets` | the built-in texts |
//! | `twin` | the same run with real weights |

mod check;
mod named;
mod options;
mod parse;
mod presets;
mod schema;
mod twin;

pub use parse::{flat, parse};
pub use presets::{PRESETS, preset, preset_text};
pub use schema::{
    Config, DataConfig, LossName, Method, NetworkConfig, PhaseConfig, Preprocess, RealProduct, ScheduleName,
    Thresholds, TrainingConfig,
};
