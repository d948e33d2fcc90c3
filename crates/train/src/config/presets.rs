//! Runs that come with the crate. Each text says what its paper reports.

use crate::{
    config::{Config, parse},
    error::{Error, Result},
};

macro_rules! presets {
    ($($name:literal: $about:literal,)*) => {
        [$(($name, include_str!(concat!("../../presets/", $name, ".toml")), $about)),*]
    };
}

/// Name, text and one line about each preset.
pub const PRESETS: [(&str, &str, &str); 21] = presets! {
    "table": "your own table (CSV, Parquet, Arrow): straight-through training",
    "table-flip": "the same by integer flip backprop",
    "iris": "flip backprop, the report's net and its two phases",
    "iris-best": "flip backprop with settings tuned on training data",
    "digits": "straight-through training on 8x8 digits",
    "iris-flip": "integer flip backprop: counters and integer thresholds",
    "digits-flip": "the same on 8x8 digits",
    "mnist-flip-small": "the same on MNIST, 784-512-512-10 with pixels of one bit",
    "mnist-flip": "the same, 2352-2048-2048-10, images moved by a pixel",
    "mnist-flip-conv": "the same with four convolutions",
    "cifar10-flip": "the same on CIFAR-10, three convolutions",
    "mnist": "784-4096-4096-4096-10 with the paper's first settings",
    "mnist-torch": "784-2048-2048-2048-10 with its second, shift-based ones",
    "mnist-small": "784-512-512-10, six epochs",
    "mnist-tiny": "784-256-256-256-10 with pixels of one bit",
    "cifar10": "the ConvNet with the paper's settings",
    "cifar10-bop": "the ConvNet by Bop, without latent weights",
    "cifar10-cnv": "FINN's small ConvNet",
    "cifar10-rbnn": "ResNet-20 by RBNN",
    "resnet20": "ResNet-20 with latent weights",
    "vgg-small": "the ConvNet with real ends, by IR-Net",
};

/// The preset of this name.
///
/// # Errors
/// [`Error::Setting`] that lists the presets.
pub fn preset(name: &str) -> Result<Config> {
    parse(name, preset_text(name)?, &[])
}

/// The text of the preset of this name.
///
/// # Errors
/// [`Error::Setting`] that lists the presets.
pub fn preset_text(name: &str) -> Result<&'static str> {
    let found = PRESETS.iter().find(|(preset, ..)| *preset == name);
    found.map(|(_, text, _)| *text).ok_or_else(|| {
        let names: Vec<_> = PRESETS.iter().map(|(name, ..)| *name).collect();
        Error::setting("preset", format!("one of {}", names.join(", ")), name)
    })
}
