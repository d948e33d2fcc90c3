//! Downloads one file over HTTP: tries one address after the other, and resumes where a transfer broke off.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    thread,
};

use ureq::{
    Agent, Error as HttpError, Proxy,
    http::{Response, StatusCode, header},
};

use crate::published::{
    catalogue::PublishedFile,
    download::{
        digest::sha256,
        error::{DownloadError, Tried},
        events::{DownloadEvent, Listen},
        settings::Downloader,
    },
};

/// The largest number of successive redirects.
const REDIRECTS: u32 = 5;

/// The failure of an attempt.
enum Trouble {
    /// Another attempt may succeed.
    Passing(String),
    /// This address will not deliver the file.
    Lasting(String),
    /// The failure is on this side, not the server's.
    Here(DownloadError),
}

use Trouble::{Here, Lasting, Passing};

pub(crate) struct Fetch<'a> {
    settings: &'a Downloader,
    agent: Agent,
}

impl<'a> Fetch<'a> {
    pub(crate) fn new(settings: &'a Downloader) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(REDIRECTS)
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_recv_response(Some(settings.read_timeout))
            .timeout_per_read(Some(settings.read_timeout))
            .timeout_per_write(Some(settings.read_timeout))
            .proxy(if settings.proxy { Proxy::try_from_env() } else { None })
            .user_agent(concat!("onebit/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { settings, agent: config.into() }
    }

    /// Completes the file at `part`, which may hold its beginning.
    pub(crate) fn file(
        &self,
        file: &PublishedFile,
        addresses: &[String],
        part: &Path,
        listen: Listen,
    ) -> Result<(), DownloadError> {
        let mut tried = Tried::default();
        for url in addresses {
            match self.from(url, file, part, listen)? {
                Ok(()) => return Ok(()),
                Err(reason) => tried.0.push((url.clone(), reason)),
            }
        }
        Err(DownloadError::Mirrors { file: file.name.into(), tried })
    }

    /// Tries one address; the inner error is the reason why that address fails.
    fn from(
        &self,
        url: &str,
        file: &PublishedFile,
        part: &Path,
        listen: Listen,
    ) -> Result<Result<(), String>, DownloadError> {
        let mut attempt = 1;
        let mut pause = self.settings.pause;
        // Whether all bytes came from this address; only then is a wrong digest its fault.
        let mut own = fs::metadata(part).is_err();
        loop {
            let trouble = match self.rest(url, file, part, &mut own, listen) {
                Ok(()) => match whole(file, part)? {
                    Ok(()) => {
                        listen(DownloadEvent::Fetched { file: file.name, bytes: file.bytes });
                        return Ok(Ok(()));
                    }
                    Err(reason) if own => Lasting(reason),
                    // The beginning came from another address: try once more, all from this one.
                    Err(_) => {
                        own = true;
                        continue;
                    }
                },
                Err(trouble) => trouble,
            };
            let (reason, again) = match trouble {
                Here(error) => return Err(error),
                Passing(reason) if attempt < self.settings.attempts => (reason, Some(pause)),
                Passing(reason) | Lasting(reason) => (reason, None),
            };
            listen(DownloadEvent::Failed { file: file.name, url, reason: &reason, again });
            if again.is_none() {
                return Ok(Err(reason));
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2);
            attempt += 1;
        }
    }

    /// Requests the missing bytes and appends them.
    fn rest(
        &self,
        url: &str,
        file: &PublishedFile,
        part: &Path,
        own: &mut bool,
        listen: Listen,
    ) -> Result<(), Trouble> {
        let here = |reason| Here(DownloadError::write(part)(reason));
        let mut have = fs::metadata(part).map_or(0, |meta| meta.len());
        if have > file.bytes {
            fs::remove_file(part).map_err(here)?;
            have = 0;
        }
        if have == file.bytes {
            return Ok(());
        }
        let mut response = self.ask(url, have)?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE && have > 0 {
            have = 0;
            response = self.ask(url, have)?;
        }
        match response.status() {
            StatusCode::PARTIAL_CONTENT if have > 0 => check_range(&response, have, file.bytes)?,
            StatusCode::OK => have = 0, // the whole file, whatever range was requested
            status => {
                let passing = status.is_server_error()
                    || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
                let reason = format!("the server answers {status}");
                return Err(if passing { Passing(reason) } else { Lasting(reason) });
            }
        }
        let missing = file.bytes - have;
        if let Some(promised) = response.body().content_length().filter(|&promised| promised != missing) {
            return Err(Lasting(format!("expected {missing} bytes, the server has {promised}")));
        }
        *own |= have == 0;
        let mut out = File::options().create(true).truncate(false).write(true).open(part).map_err(here)?;
        out.set_len(have).and_then(|()| out.seek(SeekFrom::Start(have))).map_err(here)?;
        listen(DownloadEvent::Begins { file: file.name, url, from: have, bytes: file.bytes });
        let mut body = response.body_mut().as_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            let count = match body.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    return Err(Passing(format!("broke off after {have} of {} bytes: {error}", file.bytes)));
                }
            };
            if count == 0 {
                break;
            }
            have += count as u64;
            if have > file.bytes {
                drop(out);
                fs::remove_file(part).map_err(here)?;
                return Err(Lasting(format!("expected {} bytes, the server sends more", file.bytes)));
            }
            out.write_all(&buffer[..count]).map_err(here)?;
            listen(DownloadEvent::Progress { file: file.name, done: have, bytes: file.bytes });
        }
        if have < file.bytes {
            return Err(Passing(format!("broke off after {have} of {} bytes", file.bytes)));
        }
        out.sync_all().map_err(here)
    }

    fn ask(&self, url: &str, from: u64) -> Result<Response<ureq::Body>, Trouble> {
        let mut request = self.agent.get(url);
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        request.call().map_err(|error| match error {
            HttpError::Io(_) | HttpError::Timeout(_) | HttpError::ConnectionFailed => {
                Passing(error.to_string())
            }
            HttpError::TooManyRedirects => Lasting(format!("sends on more than {REDIRECTS} times")),
            _ => Lasting(error.to_string()),
        })
    }
}

/// Checks that a partial response has the requested range.
fn check_range<T>(response: &Response<T>, from: u64, bytes: u64) -> Result<(), Trouble> {
    let expected = format!("bytes {from}-{}/", bytes - 1);
    let got =
        response.headers().get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or("none");
    let total = got.strip_prefix(&expected);
    if !total.is_some_and(|total| total == "*" || total.parse() == Ok(bytes)) {
        return Err(Lasting(format!("expected the range {expected}{bytes}, the server sends {got}")));
    }
    Ok(())
}

/// Checks the digest of a file; a file with a wrong digest is removed, and the inner error is the reason.
fn whole(file: &PublishedFile, part: &Path) -> Result<Result<(), String>, DownloadError> {
    let got = sha256(part).map_err(DownloadError::read(part))?;
    if got == file.sha256 {
        return Ok(Ok(()));
    }
    fs::remove_file(part).map_err(DownloadError::write(part))?;
    Ok(Err(format!("expected the SHA-256 {}, got {got}", file.sha256)))
}
