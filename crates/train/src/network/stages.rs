//! The convolutional part of a network in the notation of the papers: `128C3-128C3-MP2-256C3-256C3-MP2`.
//!
//! | stage | meaning |
//! |---|---|
//! | `128C3` | convolution with 128 kernels of 3 x 3, norm and sign; a suffix `/2` is the stride |
//! | `MP2` | max-pooling of 2 x 2 between the preceding convolution and its norm; a suffix `/3` changes the stride of 2 |
//! | `R64` | residual block: two convolutions with 64 kernels of 3 x 3, a shortcut around each; a suffix `/2` is the stride of the first |
//! | `GAP` | global average pooling; only as the last stage |
//!
//! ```
//! use onebit_train::Architecture;
//!
//! let convnet: Architecture = "128C3-128C3-MP2".parse()?;
//! assert_eq!(convnet.stages().len(), 2); // the pooling belongs to the second
//! assert_eq!("128C-3".parse::<Architecture>().unwrap_err().to_string(),
//!     "network.convolutions: expected stages like 128C3, MP2, R64 or GAP between dashes, got 128C");
//! # Ok::<(), onebit_train::Error>(())
//! ```

use std::{fmt, str::FromStr};

use onebit_bits::Pool;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Maximum number of kernels.
const MOST_CHANNELS: usize = 1 << 14;
/// Maximum size of a kernel, window or stride.
const LARGEST: usize = 16;

/// Convolutional stages that turn an image into the features of the dense layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Architecture {
    stages: Vec<Stage>,
}

/// A stage of an [`Architecture`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Convolution, optional max-pooling, norm, sign.
    Conv {
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Stride in both directions.
        stride: usize,
        /// Max-pooling of its sums.
        pool: Option<Pool>,
    },
    /// Two convolutions of 3 x 3, each with a shortcut around it.
    Residual {
        /// Output channels.
        channels: usize,
        /// Stride of the first convolution.
        stride: usize,
    },
    /// Mean of each channel over all positions.
    GlobalAveragePool,
}

impl Architecture {
    /// Returns the stages, first to last.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }
}

impl FromStr for Architecture {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut stages: Vec<Stage> = Vec::new();
        for word in text.split('-').filter(|_| !text.is_empty()) {
            let wrong = |expected: &str| Error::setting("network.convolutions", expected, word);
            if stages.last() == Some(&Stage::GlobalAveragePool) {
                return Err(wrong("nothing after GAP"));
            }
            let (stage, stride) = match word.split_once('/') {
                Some((stage, stride)) => {
                    (stage, Some(number(stride, LARGEST).ok_or_else(|| wrong("a stride"))?))
                }
                None => (word, None),
            };
            let expected = "stages like 128C3, MP2, R64 or GAP between dashes";
            if let Some(window) = stage.strip_prefix("MP") {
                let size = number(window, LARGEST).ok_or_else(|| wrong(expected))?;
                let stride = stride.unwrap_or(2);
                let Some(Stage::Conv { pool: pool @ None, .. }) = stages.last_mut() else {
                    return Err(wrong("pooling right after a convolution"));
                };
                *pool = Some(Pool { kernel: (size, size), stride: (stride, stride) });
            } else if stage == "GAP" && stride.is_none() {
                stages.push(Stage::GlobalAveragePool);
            } else if let Some(channels) = stage.strip_prefix('R') {
                let channels = number(channels, MOST_CHANNELS).ok_or_else(|| wrong(expected))?;
                if stages.is_empty() {
                    return Err(wrong("a convolution before the first residual block"));
                }
                stages.push(Stage::Residual { channels, stride: stride.unwrap_or(1) });
            } else {
                let (channels, kernel) = stage.split_once('C').ok_or_else(|| wrong(expected))?;
                let channels = number(channels, MOST_CHANNELS).ok_or_else(|| wrong(expected))?;
                let kernel = number(kernel, LARGEST).ok_or_else(|| wrong(expected))?;
                stages.push(Stage::Conv { channels, kernel, stride: stride.unwrap_or(1), pool: None });
            }
        }
        Ok(Self { stages })
    }
}

/// Parses a number from 1 to `most` in plain digits.
fn number(text: &str, most: usize) -> Option<usize> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (1..=most).contains(number))
}

impl TryFrom<String> for Architecture {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Architecture> for String {
    fn from(architecture: Architecture) -> Self {
        architecture.to_string()
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let suffix = |default: usize, stride: usize| {
            if stride == default { String::new() } else { format!("/{stride}") }
        };
        for (index, stage) in self.stages.iter().enumerate() {
            f.write_str(if index > 0 { "-" } else { "" })?;
            match stage {
                Stage::Conv { channels, kernel, stride, pool } => {
                    write!(f, "{channels}C{kernel}{}", suffix(1, *stride))?;
                    if let Some(Pool { kernel, stride }) = pool {
                        write!(f, "-MP{}{}", kernel.0, suffix(2, stride.0))?;
                    }
                }
                Stage::Residual { channels, stride } => write!(f, "R{channels}{}", suffix(1, *stride))?,
                Stage::GlobalAveragePool => f.write_str("GAP")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "128C3-128C3-MP2-256C5/2-MP3/3", "16C3-R16-R32/2-GAP", "1C1"] {
            assert_eq!(text.parse::<Architecture>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let stages = "expected stages like 128C3, MP2, R64 or GAP between dashes";
        for (text, message) in [
            ("128C3--MP2", format!("{stages}, got ")),
            ("MP2", "expected pooling right after a convolution, got MP2".into()),
            ("8C3-MP2-MP2", "expected pooling right after a convolution, got MP2".into()),
            ("R8", "expected a convolution before the first residual block, got R8".into()),
            ("8C3-GAP-8C3", "expected nothing after GAP, got 8C3".into()),
            ("0C3", format!("{stages}, got 0C3")),
            ("8C17", format!("{stages}, got 8C17")),
            ("+8C3", format!("{stages}, got +8C3")),
            ("8C3/0", "expected a stride, got 8C3/0".into()),
            ("99999999999999999999C3", format!("{stages}, got 99999999999999999999C3")),
        ] {
            let error = text.parse::<Architecture>().unwrap_err().to_string();
            assert_eq!(error, format!("network.convolutions: {message}"));
        }
    }
}
