//! `onebit export`: a model as C, and what it takes.

use std::process::Command;

use onebit::{CSource, Model};

use crate::common::{Folder, number};

#[test]
fn c_is_what_the_library_writes() {
    let folder = Folder::trained();
    let CSource { header, source, .. } =
        Model::load(folder.path("mine.onebit")).unwrap().to_c("mine").unwrap();
    let said = folder.onebit(["export", "mine.onebit", "--c", "."]).ok().stdout;
    assert!(
        said.contains("mine.h and ") && said.contains("mine.c\n") && said.contains("a workspace of "),
        "{said}"
    );
    assert_eq!((folder.read("mine.h"), folder.read("mine.c")), (header.into_bytes(), source.into_bytes()));
    let names = folder.names();
    assert!(!names.iter().any(|name| name.contains("tmp")), "{names:?}");
    let compiled = Command::new("cc")
        .current_dir(folder.path(""))
        .args("-std=c99 -Wall -Wextra -Werror -pedantic -ffreestanding -c mine.c".split(' '))
        .output()
        .expect("there is a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
}

#[test]
fn c_has_the_name_that_one_wants() {
    let folder = Folder::trained();
    folder.write("sub/my-fish 2.onebit", folder.read("mine.onebit"));
    folder.onebit(["export", "sub/my-fish 2.onebit", "--c", "sub"]).ok();
    assert!(folder.read("sub/my_fish_2.c").starts_with(b"/* Made by onebit "));
    folder.onebit(["export", "mine.onebit", "--name", "Fish", "--c", "sub"]).ok();
    let header = String::from_utf8(folder.read("sub/Fish.h")).unwrap();
    assert!(
        header.contains("int Fish_classify(") && header.contains("#define FISH_FEATURES 2\n"),
        "{header}"
    );
}

#[test]
fn what_is_wrong_is_named() {
    let folder = Folder::trained();
    folder.write("2nd.onebit", folder.read("mine.onebit")).write("bad.onebit", "no model");
    folder.write("blocked/mine.c/file", "");
    let before = folder.files();
    for (code, args, words) in [
        (2, &["mine.onebit", "--c", ".", "--name", "a-b"][..], &["--name", "`a-b`", "a letter"][..]),
        (2, &["2nd.onebit", "--c", "."], &["--name", "`2nd`", "a letter"]),
        (1, &["none.onebit", "--c", "."], &["none.onebit"]),
        (1, &["bad.onebit", "--c", "."], &["bad.onebit"]),
        (1, &["mine.onebit", "--c", "nowhere"], &["nowhere", "mine.h"]),
        (1, &["mine.onebit", "--c", "fish.csv"], &["fish.csv", "mine.h"]),
        (1, &["mine.onebit", "--c", "blocked"], &["blocked", "mine.c"]),
    ] {
        let run = folder.onebit([&["export"], args].concat()).refused(code, words);
        assert_eq!(run.stdout, "", "{}", run.command);
        assert!(folder.files() == before, "{} changed files: {:?}", run.command, folder.names());
    }
    assert!(!folder.path("blocked/mine.h").exists(), "one of the two without the other");
}

#[test]
fn bytes_of_all_parts_are_those_of_the_file() {
    let folder = Folder::trained();
    let file = folder.read("mine.onebit").len() as f64;
    let shown = folder.onebit(["export", "mine.onebit", "--json"]).ok().json().remove(0);
    let layers: f64 = shown["layers"].as_array().unwrap().iter().map(|layer| number(layer, "bytes")).sum();
    let rest = ["features_bytes", "names_bytes", "framing_bytes"].map(|part| number(&shown, part));
    assert_eq!(layers + rest.iter().sum::<f64>(), file);
    assert_eq!([number(&shown, "predicted_bytes"), number(&shown, "file_bytes")], [file; 2]);
    let inspected = folder.onebit(["inspect", "mine.onebit", "--json"]).ok().json().remove(0);
    assert_eq!([number(&inspected, "predicted_bytes"), number(&inspected, "file_bytes")], [file; 2]);
    let table = folder.onebit(["export", "mine.onebit"]).ok().stdout;
    assert!(table.ends_with(&format!("mine.onebit has {file} bytes, as predicted\n")), "{table}");
}

/// Of what is no model there may be no end.
#[test]
#[cfg(unix)]
fn endless_files_are_no_models() {
    let folder = Folder::new();
    for command in [&["export"][..], &["inspect"], &["bench", "infer"]] {
        folder.onebit([command, &["/dev/zero"]].concat()).refused(1, &["/dev/zero", "magic"]);
    }
}
