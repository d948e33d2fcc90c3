//! On disk a model is whole, or it is not there.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

use onebit_model::{Error, Model};
use onebit_testing::patience::PATIENCE;
use tempfile::TempDir;

use super::tiny;
use crate::recipe::Recipe;

/// The names in a folder, sorted.
fn names(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

/// The path in the error of a failed save or load.
fn refused<T>(result: Result<T, Error>) -> String {
    match result.err().expect("an error") {
        Error::Io { path, .. } | Error::File { path, .. } => path,
        other => panic!("without a path: {other:?}"),
    }
}

/// A save to a device must not put a file in its place.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_written_to_and_stays() {
    use std::{os::unix::fs::FileTypeExt, process::Command};
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (sender, read) = mpsc::channel();
    thread::spawn({
        let pipe = pipe.clone();
        move || sender.send(fs::read(pipe).unwrap())
    });
    tiny::model().save(&pipe).unwrap();
    assert_eq!(read.recv_timeout(PATIENCE).expect("the pipe is written to"), tiny::bytes());
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(names(&folder), [PathBuf::from("pipe")]);
}

/// Of two files, one may be a device.
#[test]
#[cfg(unix)]
fn source_for_a_device_goes_there_and_leaves_nothing_beside() {
    let folder = TempDir::new().unwrap();
    let (header, code) = (folder.path().join("tiny.h"), folder.path().join("tiny.c"));
    std::os::unix::fs::symlink("/dev/null", &header).unwrap();
    tiny::model().to_c("tiny").unwrap().save(&folder).unwrap();
    assert!(header.is_symlink() && fs::read(&header).unwrap().is_empty());
    assert!(fs::read_to_string(code).unwrap().contains("tiny_scores"));
    assert_eq!(names(&folder), ["tiny.c", "tiny.h"].map(PathBuf::from));
}

#[test]
fn save_and_load_leave_nothing_but_the_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tiny.onebit");
    for before in [None, Some(""), Some("longer than a model is: ")] {
        if let Some(text) = before {
            fs::write(&path, text.repeat(500)).unwrap();
        }
        tiny::model().save(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), tiny::bytes());
        assert_eq!(Model::load(&path).unwrap(), tiny::model());
        assert_eq!(names(&folder), [Path::new("tiny.onebit")]);
    }
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = TempDir::new().unwrap();
    let name = OsStr::from_bytes(b"m\xff.onebit");
    tiny::model().save(folder.path().join(name)).unwrap();
    assert_eq!(names(&folder), [Path::new(name)]);
    assert_eq!(Model::load(folder.path().join(name)).unwrap(), tiny::model());
}

#[test]
fn a_folder_that_cannot_be_written_to() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for nowhere in ["missing/tiny.onebit", "file/tiny.onebit"] {
        let path = folder.path().join(nowhere);
        assert_eq!(refused(tiny::model().save(&path)), path.display().to_string());
        assert_eq!(refused(Model::load(&path)), path.display().to_string());
    }
    assert_eq!(names(&folder), [Path::new("file")]);
}

#[test]
fn a_failed_save_leaves_what_was_there() {
    let folder = TempDir::new().unwrap();
    // A name that is just short enough, but not for the temporary file beside it.
    let long = folder.path().join("m".repeat(250));
    fs::write(&long, "old").unwrap();
    assert_eq!(refused(tiny::model().save(&long)), long.display().to_string());
    assert_eq!(fs::read(&long).unwrap(), b"old");
    // A folder stands where the file should be: everything goes well until the last step.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("inside"), "old").unwrap();
    assert_eq!(refused(tiny::model().save(&taken)), taken.display().to_string());
    assert_eq!(fs::read(taken.join("inside")).unwrap(), b"old");
    assert_eq!(names(&folder), [Path::new(&"m".repeat(250)), Path::new("taken")]);
}

#[test]
fn a_damaged_file_is_refused_with_its_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("cut.onebit");
    fs::write(&path, &tiny::bytes()[..100]).unwrap();
    let message = Model::load(&path).unwrap_err().to_string();
    let length = tiny::bytes().len();
    assert_eq!(message, format!("{}: file length: expected {length} bytes, got 100", path.display()));
}

#[test]
fn whoever_reads_while_others_save_sees_a_whole_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.onebit");
    let small = tiny::model();
    let hidden = vec![(300, 1)];
    let large = Recipe {
        images: None,
        inputs: 2000,
        binarize: 1,
        thermometer: false,
        bytes: false,
        hidden,
        classes: 2,
        seed: 1,
    }
    .model();
    small.save(&path).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let seen = Model::load(&path).unwrap();
                assert!(seen == small || seen == large);
            }
        });
        let savers = [&small, &large].map(|model| {
            let path = &path;
            scope.spawn(move || (0..40).try_for_each(|_| model.save(path)))
        });
        let saved = savers.map(|saver| saver.join());
        done.store(true, Ordering::Relaxed); // whatever happened, or the reader would never end
        saved.into_iter().for_each(|saved| saved.unwrap().unwrap());
    });
    assert_eq!(names(&folder), [Path::new("model.onebit")]);
}
