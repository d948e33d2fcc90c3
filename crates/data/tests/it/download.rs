//! Published sets are fetched from servers that answer well, badly, slowly, twice or not at all.

use std::{
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use onebit_data::{
    DataFolder, ImageShape, PublishedFile, PublishedSet, Subset,
    download::{DownloadEvent, Downloader},
    read_cifar10_folder,
};
use onebit_testing::{
    outside,
    server::{Reply, Request, Server},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// What the file of a test holds.
fn content() -> Vec<u8> {
    (0..200_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect()
}

fn file(name: &'static str, bytes: &[u8]) -> PublishedFile {
    let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    PublishedFile { name, bytes: bytes.len() as u64, sha256: sha256.leak(), unpacked: &[] }
}

fn set(files: &[PublishedFile]) -> PublishedSet {
    PublishedSet {
        name: "tiny",
        about: "a test",
        samples: [1, 1],
        classes: 2,
        image: ImageShape { height: 1, width: 1, channels: 1 },
        files: files.to_vec().leak(),
        mirrors: &[],
    }
}

/// A data folder, a set of one file `a`, and the mirrors to get it from.
struct Case {
    dir: TempDir,
    set: PublishedSet,
    downloader: Downloader,
    told: Vec<String>,
}

impl Case {
    fn new(servers: &[&Server]) -> Self {
        Self::with(set(&[file("a", &content())]), servers)
    }

    /// The addresses of the servers stand as published ones, so that each is asked for one path.
    fn with(mut set: PublishedSet, servers: &[&Server]) -> Self {
        let mirrors: Vec<&str> = servers.iter().map(|server| &*server.url.clone().leak()).collect();
        set.mirrors = mirrors.leak();
        let downloader = Downloader {
            read_timeout: Duration::from_millis(400),
            attempts: 3,
            pause: Duration::from_millis(1),
            proxy: false,
            ..Downloader::default()
        };
        Self { dir: tempfile::tempdir().unwrap(), set, downloader, told: Vec::new() }
    }

    fn get(&mut self) -> Result<(), String> {
        let folder = DataFolder::new(self.dir.path());
        let told = &mut self.told;
        let mut listen = |event: DownloadEvent| match event {
            DownloadEvent::Progress { .. } => {}
            DownloadEvent::Failed { reason, again, .. } => {
                told.push(format!("{}: {reason}", if again.is_some() { "again" } else { "failed" }));
            }
            DownloadEvent::Begins { from, .. } => told.push(format!("from {from}")),
            DownloadEvent::There { .. } => told.push("there".into()),
            DownloadEvent::Damaged { .. } => told.push("damaged".into()),
            DownloadEvent::Fetched { .. } => told.push("fetched".into()),
            other => told.push(format!("{other:?}")),
        };
        let place =
            self.downloader.get(&self.set, &folder, &mut listen).map_err(|error| error.to_string())?;
        assert_eq!(place, self.path(""));
        Ok(())
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("tiny").join(name)
    }

    /// The set is there as it should be, and nothing else is.
    #[track_caller]
    fn whole(&mut self) {
        self.get().unwrap();
        assert_eq!(fs::read(self.path("a")).unwrap(), content());
        assert_eq!(names(&self.path("")), ["a"]);
    }

    /// The reasons of the failure, `;` between addresses, and nothing is left behind but `left`.
    #[track_caller]
    fn refused(&mut self, reasons: &[&str], left: &[&str]) {
        let urls = self.set.mirrors.iter().zip(reasons);
        let tried: Vec<_> = urls.map(|(url, reason)| format!("{url}a: {reason}")).collect();
        assert_eq!(self.get().unwrap_err(), format!("cannot fetch a: {}", tried.join("; ")));
        assert_eq!(names(&self.path("")), left);
    }
}

/// What is in a folder; of none, nothing.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A server that knows ranges.
fn good() -> Server {
    Server::new(|request, _| Reply::range(request, &content()))
}

fn always(status: &'static str) -> Server {
    Server::new(move |_, _| Reply::status(status))
}

fn asked(server: &Server) -> Vec<Option<usize>> {
    server.requests().iter().map(|request| request.from).collect()
}

#[test]
fn what_is_whole_is_not_fetched_again() {
    let server = good();
    let mut case = Case::new(&[&server]);
    case.whole();
    assert_eq!(server.requests(), [Request { path: "/a".into(), from: None }]);
    case.whole();
    assert_eq!(
        (asked(&server).len(), &case.told[..]),
        (1, &["from 0", "fetched", "there"].map(String::from)[..])
    );
    // Damaged on the disk, by length and by content.
    for damage in [content()[1..].to_vec(), vec![0; content().len()]] {
        fs::write(case.path("a"), damage).unwrap();
        case.told.clear();
        case.whole();
        assert_eq!(case.told, ["damaged", "from 0", "fetched"]);
    }
}

#[test]
fn a_broken_download_goes_on_where_it_was() {
    let server = Server::new(|request, before| {
        let cut = [100_000, 50_000, 0][before];
        Reply::range(request, &content()).cut(cut)
    });
    let mut case = Case::new(&[&server]);
    case.whole();
    assert_eq!(asked(&server), [None, Some(100_000), Some(150_000)]);
    let told = &case.told[1];
    assert!(told.starts_with("again: broke off after 100000 of 200000 bytes"), "{told}");
}

#[test]
fn a_later_call_goes_on_at_another_mirror() {
    let breaks = Server::new(|_, _| Reply::file(&content()).cut(70_000));
    let mut case = Case::new(&[&breaks]);
    case.downloader.attempts = 1;
    let error = case.get().unwrap_err();
    assert!(error.contains("broke off after 130000 of 200000 bytes"), "{error}");
    assert_eq!(names(&case.path("")), ["a.part"]);
    let server = good();
    case.set = Case::new(&[&server]).set;
    case.whole();
    assert_eq!(asked(&server), [Some(130_000)]);
}

/// Without a length the connection's end is the body's.
#[test]
fn a_server_that_says_no_length_is_counted() {
    let server = Server::new(|_, before| {
        let reply = Reply::new("200 OK", &[], &content());
        if before == 0 { reply.cut(1) } else { reply }
    });
    let mut case = Case::new(&[&server]);
    case.whole();
    assert_eq!(case.told[1], "again: broke off after 199999 of 200000 bytes");
    assert_eq!(asked(&server), [None, Some(199_999)]);
}

#[test]
fn a_part_that_is_wrong_is_fetched_anew() {
    for part in [vec![7; 1000], vec![7; 200_000], vec![7; 200_001], Vec::new()] {
        let server = good();
        let mut case = Case::new(&[&server]);
        fs::create_dir(case.path("")).unwrap();
        fs::write(case.path("a.part"), &part).unwrap();
        case.whole();
        let expected = if part.len() == 1000 { vec![Some(1000), None] } else { vec![None] };
        assert_eq!(asked(&server), expected, "{} bytes", part.len());
    }
}

#[test]
fn a_whole_part_needs_no_server() {
    let mut case = Case::new(&[]);
    fs::create_dir(case.path("")).unwrap();
    fs::write(case.path("a.part"), content()).unwrap();
    assert_eq!(case.get().unwrap_err(), "cannot fetch a: no mirror is known");
    let server = good();
    case.set = Case::new(&[&server]).set;
    case.whole();
    assert_eq!(asked(&server), []);
}

#[test]
fn servers_that_know_no_ranges_send_all_of_it() {
    let ignores = Server::new(|_, _| Reply::file(&content()));
    let refuses = Server::new(|request, _| match request.from {
        Some(_) => Reply::status("416 Range Not Satisfiable"),
        None => Reply::file(&content()),
    });
    for (server, expected) in [(ignores, vec![Some(1000)]), (refuses, vec![Some(1000), None])] {
        let mut case = Case::new(&[&server]);
        fs::create_dir(case.path("")).unwrap();
        fs::write(case.path("a.part"), &content()[..1000]).unwrap();
        case.whole();
        assert_eq!(asked(&server), expected);
    }
}

#[test]
fn a_server_that_sends_another_range_is_left() {
    let server = Server::new(|_, _| {
        let range = "Content-Range: bytes 0-199999/200000".into();
        Reply::new("206 Partial Content", &[range], &content())
    });
    let mut case = Case::new(&[&server]);
    fs::create_dir(case.path("")).unwrap();
    fs::write(case.path("a.part"), &content()[..1000]).unwrap();
    let reason = "expected the range bytes 1000-199999/200000, the server sends bytes 0-199999/200000";
    case.refused(&[reason], &["a.part"]);
    assert_eq!(fs::read(case.path("a.part")).unwrap().len(), 1000);
}

#[test]
fn garbage_is_thrown_away_and_the_next_mirror_asked() {
    let garbage = Server::new(|_, _| Reply::file(&[7; 200_000]));
    let got: String = Sha256::digest([7; 200_000]).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut case = Case::new(&[&garbage]);
    let reason = format!("expected the SHA-256 {}, got {got}", case.set.files[0].sha256);
    case.refused(&[&reason], &[]);
    assert_eq!(asked(&garbage).len(), 1);

    let server = good();
    let mut case = Case::new(&[&garbage, &server]);
    case.whole();
    assert_eq!(case.told, ["from 0", &format!("failed: {reason}"), "from 0", "fetched"]);
}

#[test]
fn a_wrong_length_is_not_even_fetched() {
    let shorter = Server::new(|_, _| Reply::file(&content()[1..]));
    let longer = Server::new(|_, _| Reply::file(&[0; 200_001]));
    // says nothing, and sends without end
    let endless = Server::new(|_, _| Reply::new("200 OK", &[], &[7; 1_000_000]).stalled());
    let reasons = [
        "expected 200000 bytes, the server has 199999",
        "expected 200000 bytes, the server has 200001",
        "expected 200000 bytes, the server sends more",
    ];
    let mut case = Case::new(&[&shorter, &longer, &endless]);
    case.refused(&reasons, &[]);
}

#[test]
fn a_server_that_falls_silent_is_left() {
    let mute = Server::new(|request, _| Reply::range(request, &content()).cut(200_000).stalled());
    let stalls = Server::new(|request, _| Reply::range(request, &content()).cut(50_000).stalled());
    let server = good();
    let mut case = Case::new(&[&mute, &stalls, &server]);
    case.downloader.attempts = 1;
    let start = Instant::now();
    case.whole();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(asked(&server), [Some(150_000)]);
    assert!(
        case.told[1].starts_with("failed: broke off after 0 of 200000 bytes: timeout"),
        "{:?}",
        case.told
    );
    let stalled = &case.told[3];
    assert!(stalled.starts_with("failed: broke off after 150000 of 200000 bytes: timeout"), "{stalled}");
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let server = good();
    let to = server.url.clone();
    let sends_on = Server::new(move |_, _| Reply::redirect(&format!("{to}elsewhere")));
    let mut case = Case::new(&[&sends_on]);
    fs::create_dir(case.path("")).unwrap();
    fs::write(case.path("a.part"), &content()[..1000]).unwrap();
    case.whole();
    assert_eq!(server.requests(), [Request { path: "/elsewhere".into(), from: Some(1000) }]);

    let circles = Server::new(|_, _| Reply::redirect("/a"));
    let mut case = Case::new(&[&circles]);
    case.refused(&["sends on more than 5 times"], &[]);
    assert_eq!(asked(&circles).len(), 6);

    let local = Server::new(|_, _| Reply::redirect("file:///etc/hostname"));
    let mut case = Case::new(&[&local]);
    let error = case.get().unwrap_err();
    assert!(error.starts_with(&format!("cannot fetch a: {}a: ", local.url)), "{error}");
    assert_eq!(names(&case.path("")), [""; 0]);
}

#[test]
fn every_mirror_is_named_with_its_reason() {
    let (missing, broken) = (always("404 Not Found"), always("500 Internal Server Error"));
    let reasons = ["the server answers 404 Not Found", "the server answers 500 Internal Server Error"];
    let mut case = Case::new(&[&missing, &broken]);
    case.refused(&reasons, &[]);
    // One that does not have it is asked once, one that fails again.
    assert_eq!((asked(&missing).len(), asked(&broken).len()), (1, 3));
    assert!(!case.path("").exists());
    let [failed, gone] = reasons.map(|reason| format!("failed: {reason}"));
    let again = format!("again: {}", reasons[1]);
    assert_eq!(case.told, [failed, again.clone(), again, gone]);

    let server = good();
    Case::new(&[&missing, &broken, &server]).whole();
    let mut case = Case::new(&[&Server::gone()]);
    let error = case.get().unwrap_err();
    assert!(error.contains("refused"), "{error}");
}

#[test]
fn own_mirrors_come_first_and_may_have_a_folder_for_each_set() {
    let own = Server::new(|request, _| match request.path.as_str() {
        "/data/tiny/a" => Reply::status("404 Not Found"),
        "/data/a" => Reply::range(request, &content()),
        _ => Reply::status("500 Internal Server Error"),
    });
    for end in ["data", "data/"] {
        let published = good();
        let mut case = Case::new(&[&published]);
        case.downloader.mirrors = vec![format!("{}{end}", own.url)];
        case.whole();
        assert_eq!(asked(&published), []);
    }
    let paths: Vec<_> = own.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/data/tiny/a", "/data/a", "/data/tiny/a", "/data/a"]);

    let mut case = Case::new(&[]);
    for bad in ["", "/data", "ftp://host/", "http://", "https:///x", "HTTP//host"] {
        case.downloader.mirrors = vec![bad.into()];
        let expected = format!("mirror: expected an address that starts with http:// or https://, got {bad}");
        assert_eq!(case.get(), Err(expected));
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let server = good();
    let mut case = Case::new(&[&server]);
    let place = case.dir.path().join("tiny");
    fs::write(&place, b"no folder").unwrap();
    assert!(case.get().unwrap_err().starts_with(&format!("cannot write {}: ", place.display())));
    assert_eq!(asked(&server), []);

    let mut case = Case::new(&[&server]);
    fs::create_dir_all(case.path("a.part")).unwrap();
    let error = case.get().unwrap_err();
    assert!(error.starts_with("cannot ") && error.contains("a.part: "), "{error}");
}

#[test]
fn two_at_once_fetch_it_once() {
    let arrived = AtomicUsize::new(0);
    let server = Server::new(|request, _| {
        thread::sleep(Duration::from_millis(200));
        Reply::range(request, &content())
    });
    let case = Case::new(&[&server]);
    let told = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let folder = DataFolder::new(case.dir.path());
                let listen = &mut |event: DownloadEvent| match event {
                    DownloadEvent::Waiting | DownloadEvent::There { .. } | DownloadEvent::Fetched { .. } => {
                        told.lock().unwrap().push(format!("{event:?}"));
                    }
                    _ => {}
                };
                case.downloader.get(&case.set, &folder, listen).unwrap();
                arrived.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    assert_eq!(fs::read(case.path("a")).unwrap(), content());
    assert_eq!((arrived.into_inner(), asked(&server)), (3, vec![None]));
    let told = told.into_inner().unwrap();
    let count = |what: &str| told.iter().filter(|event| event.starts_with(what)).count();
    assert_eq!((count("Fetched"), count("There")), (1, 2), "{told:?}");
}

/// A gzipped archive of these paths and contents.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        // not by set_path, which refuses what a hostile archive has
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    gzip(&tar.into_inner().unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A case with an archive that should hold `in/x`, three bytes, and `in/y`, two.
fn archived(bytes: Vec<u8>) -> (Case, Server) {
    let archive = PublishedFile { unpacked: &[("in/x", 3), ("in/y", 2)], ..file("a.tar.gz", &bytes) };
    let server = Server::new(move |request, _| Reply::range(request, &bytes));
    (Case::with(set(&[archive]), &[&server]), server)
}

#[test]
fn an_archive_is_unpacked_and_gone() {
    let entries: &[(&str, &[u8])] =
        &[("../../evil", b"evil"), ("/in/x", b"no."), ("./in/y", b"yy"), ("in/more", b"m"), ("in/x", b"xxx")];
    let (mut case, server) = archived(archive(entries));
    case.get().unwrap();
    assert_eq!(
        (names(&case.path("")), names(&case.path("in"))),
        (vec!["in".into()], vec!["x".into(), "y".into()])
    );
    assert_eq!(
        (fs::read(case.path("in/x")).unwrap(), fs::read(case.path("in/y")).unwrap()),
        (b"xxx".into(), b"yy".into())
    );
    assert_eq!(names(case.dir.path()), [".tiny.lock", "tiny"]);
    assert!(!case.dir.path().parent().unwrap().join("evil").exists());
    case.get().unwrap();
    assert_eq!((asked(&server).len(), case.told.last().unwrap().as_str()), (1, "there"));
    fs::remove_file(case.path("in/y")).unwrap();
    case.get().unwrap();
    assert_eq!((asked(&server).len(), fs::read(case.path("in/y")).unwrap()), (2, b"yy".into()));
}

#[test]
fn archives_that_hold_something_else() {
    let refused = |bytes: Vec<u8>| archived(bytes).0.get().unwrap_err();
    let missing = refused(archive(&[("in/x", b"xxx")]));
    assert_eq!(missing, "a.tar.gz: archive: expected in/y, got none of these");
    let longer = refused(archive(&[("in/x", b"xxxx")]));
    assert_eq!(longer, "a.tar.gz: in/x: expected 3 bytes, got 4 bytes");
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "in/x", "/etc/passwd").unwrap();
    let link = refused(gzip(&tar.into_inner().unwrap()));
    assert_eq!(link, "a.tar.gz: in/x: expected a file, got something else");
    for damaged in [b"no archive".to_vec(), gzip(&[1; 600]), archive(&[("in/x", b"xxx")])[..60].to_vec()] {
        let error = refused(damaged);
        assert!(error.starts_with("a.tar.gz: archive: expected a gzipped tar archive, got "), "{error}");
    }
    // 100 MB of nothing in 100 kB are not read to their end
    let bomb = refused(gzip(&[&vec![b'x'; 512][..], &vec![0; 100_000_000]].concat()));
    assert!(bomb.starts_with("a.tar.gz: archive: expected "), "{bomb}");
}

/// The batches themselves; what is packed here is not the published archive to the byte.
#[test]
fn cifar10_of_full_size() {
    let Some(dir) = outside("cifar-10-batches-bin") else { return };
    let set_of = onebit_data::published("cifar10").unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all("cifar-10-batches-bin", &dir).unwrap();
    let bytes = gzip(&tar.into_inner().unwrap());
    let archive =
        PublishedFile { unpacked: set_of.files[0].unpacked, ..file("cifar-10-binary.tar.gz", &bytes) };
    let server = Server::new(move |request, before| {
        let reply = Reply::range(request, &bytes);
        if before == 0 { reply.cut(1_000_000) } else { reply }
    });
    let mut case = Case::with(set(&[archive]), &[&server]);
    case.get().unwrap();
    let read = |dir: &Path| read_cifar10_folder(dir, Subset::Test).unwrap();
    assert_eq!(read(&case.path("")), read(&dir));
    assert_eq!(read_cifar10_folder(case.path(""), Subset::Train).unwrap().len(), 50_000);
}
