//! The program and the machine of a run.

use onebit_bits::Engine;
use serde::{Deserialize, Serialize};

/// The program, its arguments and the machine of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// Version of this crate.
    pub onebit: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Working directory.
    pub folder: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Architecture, such as `x86_64`.
    pub arch: String,
    /// Name of the processor, if the system provides it.
    pub processor: String,
    /// Number of available cores.
    pub cores: usize,
    /// Number of threads of the engine.
    pub threads: usize,
    /// Instruction set of the kernels.
    pub isa: String,
}

impl Environment {
    /// Describes this process with `engine`.
    pub fn here(engine: &Engine) -> Self {
        Self {
            onebit: env!("CARGO_PKG_VERSION").into(),
            command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            folder: std::env::current_dir().map_or_else(|_| String::new(), |dir| dir.display().to_string()),
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            threads: engine.threads(),
            isa: engine.isa().name().into(),
        }
    }
}

/// Reads the processor's name from `/proc/cpuinfo`; empty on systems other than Linux.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(String::new, |(_, name)| name.trim().into())
}
