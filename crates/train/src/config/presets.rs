//! Presets: configurations that come with the crate. The text of each names its source and the result
//! reported there.

use crate::{
    config::{Config, parse},
    error::{Error, Result},
};

macro_rules! presets {
    ($($name:literal: $about:literal,)*) => {
        [$(($name, include_str!(concat!("../../presets/", $name, ".toml")), $about)),*]
    };
}

/// The name, text and one-line description of each preset.
pub const PRESETS: [(&str, &str, &str); 21] = presets! {
    "table": "your own table (CSV, Parquet, Arrow), by straight-through training",
    "table-flip": "your own table, by integer flip backprop",
    "iris": "iris by flip backprop, with the network and the two phases of the FBF report",
    "iris-best": "iris by flip backprop, with settings tuned on training data",
    "digits": "8x8 digits by straight-through training",
    "iris-flip": "iris by integer flip backprop: counters and integer thresholds",
    "digits-flip": "8x8 digits by integer flip backprop",
    "mnist-flip-small": "MNIST by integer flip backprop, 784-512-512-10 on 1-bit pixels",
    "mnist-flip": "MNIST by integer flip backprop, 2352-2048-2048-10, images shifted by a pixel",
    "mnist-flip-conv": "MNIST by integer flip backprop, four convolutions, images shifted by a pixel",
    "cifar10-flip": "CIFAR-10 by integer flip backprop, three convolutions",
    "mnist": "MNIST, 784-4096-4096-4096-10, the settings of the paper's first code (Theano)",
    "mnist-torch": "MNIST, 784-2048-2048-2048-10, those of its second code (Torch7), shift-based",
    "mnist-small": "MNIST, 784-512-512-10, six epochs",
    "mnist-tiny": "MNIST, 784-256-256-256-10 on 1-bit pixels",
    "cifar10": "CIFAR-10, the paper's ConvNet, the settings of its first code",
    "cifar10-bop": "CIFAR-10, the paper's ConvNet by Bop, without latent weights",
    "cifar10-cnv": "CIFAR-10, FINN's small ConvNet",
    "cifar10-rbnn": "CIFAR-10, ResNet-20 by RBNN",
    "resnet20": "CIFAR-10, ResNet-20 with latent weights",
    "vgg-small": "CIFAR-10, VGG-small with real first and last layers, by IR-Net",
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
