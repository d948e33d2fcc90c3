//! The settings of a download.

use std::time::Duration;

/// Downloads published sets with these settings.
///
/// ```
/// use onebit_data::download::Downloader;
///
/// let patient = Downloader { attempts: 10, ..Downloader::default() };
/// assert_eq!(patient.pause.as_millis(), 500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloader {
    /// Base addresses that are tried before the published ones, for `ADDRESS/SET/FILE` and for
    /// `ADDRESS/FILE`.
    pub mirrors: Vec<String>,
    /// The time limit for a connection, including name resolution and TLS.
    pub connect_timeout: Duration,
    /// The time that a server may be silent.
    pub read_timeout: Duration,
    /// The number of attempts per mirror and file, at least 1.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles before each further one.
    pub pause: Duration,
    /// Whether to use the proxy in the environment: the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`,
    /// except for the hosts in `NO_PROXY`. The proxy must support `CONNECT`.
    pub proxy: bool,
}

impl Default for Downloader {
    fn default() -> Self {
        Self {
            mirrors: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            attempts: 4,
            pause: Duration::from_millis(500),
            proxy: true,
        }
    }
}
