//! How to fetch.

use std::time::Duration;

/// How to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloader {
    /// Addresses that are asked before the published ones, for `ADDRESS/SET/FILE` and for `ADDRESS/FILE`.
    pub mirrors: Vec<String>,
    /// How long a connection may take to come about, the search for the address and TLS included.
    pub connect_timeout: Duration,
    /// How long a server may be silent.
    pub read_timeout: Duration,
    /// How often a mirror is asked for the same file, at least once.
    pub attempts: u32,
    /// How long to wait before the second time; twice as long before each further one.
    pub pause: Duration,
    /// Whether the environment may name a proxy: the first of `ALL_PROXY`, `HTTPS_PROXY` and `HTTP_PROXY`, for all but `NO_PROXY`.
    /// It has to know `CONNECT`.
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
