//! At every instant there is a whole checkpoint, and a run outlives a disk that is full.

use std::fs;

use onebit_train::{Event, Training, checkpoint::Checkpoints};

use super::{nets::CASES, support::Folder};

/// A checkpoint from the middle of a run, the one before it, and the end.
fn two_and_the_end() -> (Vec<u8>, Vec<u8>, super::support::Left) {
    let (folder, mut saved) = (Folder::new(), Vec::new());
    let whole =
        folder.begin(&CASES[1], |_| saved.extend(fs::read(folder.path()).ok().map(|file| vec![file])));
    let mut saved = saved.into_iter().flatten();
    (saved.nth(2).unwrap(), saved.next().unwrap(), whole.unwrap())
}

/// Goes on and returns the warnings.
fn warnings(folder: &Folder, whole: &super::support::Left) -> Vec<String> {
    let mut warnings = Vec::new();
    let resumed = folder.resume(&CASES[1], |event| {
        if let Event::Warning(warning) = event {
            warnings.push(warning.to_string());
        }
    });
    resumed.unwrap().assert_same(whole, "resumed");
    warnings
}

#[test]
fn the_one_before_is_kept_and_nothing_else() {
    let (folder, mut seen) = (Folder::new(), Vec::new());
    let whole = folder.begin(&CASES[0], |event| {
        if !matches!(event, Event::End { .. }) {
            seen.extend(fs::read(folder.path()).ok().map(|file| vec![file]));
        }
    });
    assert_eq!(folder.names(), ["run", "run.previous"]);
    let whole = whole.unwrap();
    // After the last epoch and, before it was judged, after its last batch.
    assert!(fs::read(folder.path()).unwrap() == whole.file);
    assert!(&fs::read(folder.beside("previous")).unwrap() == seen.last().unwrap().last().unwrap());
}

#[test]
fn killed_while_it_was_written() {
    let (first, _, whole) = two_and_the_end();
    for torn in [&b""[..], &first[..first.len() / 2], &first] {
        let folder = Folder::with(&first);
        fs::write(folder.beside("tmp"), torn).unwrap();
        assert!(warnings(&folder, &whole).is_empty());
        assert_eq!(folder.names(), ["run", "run.previous"]);
    }
}

/// Only where a file cannot have two names.
#[test]
fn killed_between_the_two_renames() {
    let (first, second, whole) = two_and_the_end();
    let folder = Folder::new();
    fs::write(folder.beside("previous"), &first).unwrap();
    fs::write(folder.beside("tmp"), second).unwrap();
    let warnings = warnings(&folder, &whole);
    let (path, previous) =
        (folder.path().display().to_string(), folder.beside("previous").display().to_string());
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].starts_with(&path), "{warnings:?}");
    assert!(warnings[0].ends_with(&format!("; resuming from {previous}")), "{warnings:?}");
}

#[test]
fn a_damaged_one_gives_way_to_the_one_before_and_never_takes_its_place() {
    let (first, mut second, whole) = two_and_the_end();
    let middle = second.len() / 2;
    second[middle] ^= 1;
    let folder = Folder::with(&second);
    fs::write(folder.beside("previous"), &first).unwrap();
    let warnings = {
        let mut checked = false;
        let mut warnings = Vec::new();
        let resumed = folder.resume(&CASES[1], |event| match event {
            Event::Warning(warning) => warnings.push(warning.to_string()),
            _ if !checked && fs::read(folder.path()).unwrap() != second => {
                checked = true;
                let kept = fs::read(folder.beside("previous")).unwrap();
                assert!(kept == first, "the damaged one has become the one before");
            }
            _ => {}
        });
        assert!(checked);
        resumed.unwrap().assert_same(&whole, "resumed");
        warnings
    };
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("checksum") && warnings[0].contains("run.previous"), "{warnings:?}");
}

#[test]
fn neither_is_there_or_whole() {
    let folder = Folder::new();
    let message = |folder: &Folder| Checkpoints::resume(folder.path()).err().unwrap().to_string();
    assert!(message(&folder).starts_with(&folder.path().display().to_string()));
    fs::write(folder.beside("previous"), "nor this").unwrap();
    fs::write(folder.path(), "not this").unwrap();
    assert!(message(&folder).starts_with(&format!("{}: ", folder.path().display())), "{}", message(&folder));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_a_warning_and_not_the_run() {
    let (first, _, whole) = two_and_the_end();
    let folder = Folder::with(&first);
    let mut warnings = Vec::new();
    let fill = || std::os::unix::fs::symlink("/dev/full", folder.beside("tmp")).unwrap();
    fill();
    let mut intact = true;
    let resumed = folder.resume(&CASES[1], |event| {
        // The first saves fail: what is new is written to a disk that is full.
        if let Event::Warning(warning) = event {
            warnings.push(warning.to_string());
            intact &= fs::read(folder.path()).unwrap() == first;
            if warnings.len() < 3 {
                fill();
            }
        }
    });
    resumed.unwrap().assert_same(&whole, "resumed");
    assert!(intact, "a save that failed has changed the checkpoint before it");
    assert_eq!(warnings.len(), 3);
    let path = folder.path().display().to_string();
    for warning in warnings {
        assert!(warning.starts_with(&format!("{path} was not saved: ")), "{warning}");
        assert!(warning.contains("No space left"), "{warning}");
    }
    assert_eq!(folder.names(), ["run", "run.previous"]);
}

#[test]
fn a_folder_that_is_gone_costs_a_warning_and_not_the_run() {
    let folder = Folder::new();
    let mut warnings = 0;
    let nowhere = folder.path().join("missing").join("run");
    let (case, parts) = (&CASES[0], super::support::parts(&CASES[0]));
    let mut checkpoints = Checkpoints::new(&nowhere);
    let outcome = Training::new(case.2(), case.1(), &parts)
        .checkpoints(&mut checkpoints)
        .on_event(|event| warnings += usize::from(matches!(event, Event::Warning(_))))
        .run();
    assert_eq!(outcome.unwrap().epochs.len(), warnings, "one for each epoch");
}
