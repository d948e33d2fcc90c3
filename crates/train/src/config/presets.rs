//! Built-in configurations. Each text states the result that its paper reports.

use crate::{
    config::{Config, parse},
    error::{Error, Result},
};

macro_rules! presets {
    ($($name:literal: $about:literal,)*) => {
        [$(($name, include_str!(concat!("../../presets/", $name, ".toml")), $about)),*]
    };
}

/// Name, text and description of each preset.
pub const PRESETS: [(&str, &str, &str); 21] = presets! {
    "table": "your own table (CSV, Parquet, Arrow): straight-through training",
    "table-flip": "your own table: integer flip backprop",
    "iris": "flip backprop: the original network and its two phases",
    "iris-best": "flip backprop: settings tuned on training data",
    "digits": "straight-through training on digits of 8x8 pixels",
    "iris-flip": "integer flip backprop: counters and integer thresholds",
    "digits-flip": "integer flip backprop on digits of 8x8 pixels",
    "mnist-flip-small": "integer flip backprop on MNIST: 784-512-512-10, pixels of one bit",
    "mnist-flip": "integer flip backprop on MNIST: 2352-2048-2048-10, images shifted by up to a pixel",
    "mnist-flip-conv": "integer flip backprop on MNIST: four convolutions",
    "cifar10-flip": "integer flip backprop on CIFAR-10: three convolutions",
    "mnist": "straight-through training on MNIST: 784-4096-4096-4096-10, the paper's first settings",
    "mnist-torch": "straight-through training on MNIST: 784-2048-2048-2048-10, the paper's shift-based settings",
    "mnist-small": "straight-through training on MNIST: 784-512-512-10, six epochs",
    "mnist-tiny": "straight-through training on MNIST: 784-256-256-256-10, pixels of one bit",
    "cifar10": "straight-through training on CIFAR-10: the paper's ConvNet",
    "cifar10-bop": "Bop on CIFAR-10: the ConvNet without latent weights",
    "cifar10-cnv": "straight-through training on CIFAR-10: FINN's small ConvNet",
    "cifar10-rbnn": "RBNN on CIFAR-10: ResNet-20",
    "resnet20": "straight-through training on CIFAR-10: ResNet-20",
    "vgg-small": "IR-Net on CIFAR-10: the ConvNet with real first and last layer",
};

/// Returns the preset `name`.
///
/// ```
/// use onebit_train::config::{self, Method};
///
/// let iris = config::preset("iris")?;
/// assert_eq!((iris.method, iris.network.hidden), (Method::Flip, vec![64]));
/// # Ok::<(), onebit_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Setting`] with the names of all presets for an unknown name.
pub fn preset(name: &str) -> Result<Config> {
    parse(name, preset_text(name)?, &[])
}

/// Returns the text of the preset `name`.
///
/// # Errors
/// [`Error::Setting`] with the names of all presets for an unknown name.
pub fn preset_text(name: &str) -> Result<&'static str> {
    let found = PRESETS.iter().find(|(preset, ..)| *preset == name);
    found.map(|(_, text, _)| *text).ok_or_else(|| {
        let names: Vec<_> = PRESETS.iter().map(|(name, ..)| *name).collect();
        Error::setting("preset", format!("one of {}", names.join(", ")), name)
    })
}
