//! `onebit data`, and how the other commands find what it fetches.

use std::{path::Path, process::Stdio};

use onebit_testing::{
    outside,
    server::{Reply, Request, Server},
};

use crate::common::{Folder, Run, number};

/// The command with its own data folder `data`, and without the proxies of this machine.
fn onebit<const N: usize>(folder: &Folder, args: [&str; N]) -> Run {
    onebit_with(folder, args, &[("ONEBIT_DATA", "data")])
}

fn onebit_with<const N: usize>(folder: &Folder, args: [&str; N], variables: &[(&str, &str)]) -> Run {
    let mut command = folder.command(args);
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command.env_remove("ONEBIT_DATA").envs(variables.iter().copied());
    Run::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
}

/// A set of 40 images for each part, 28x28, such as the idx reader takes: digits that differ in brightness.
fn write_digits(folder: &Folder, place: &str) {
    for part in ["train", "t10k"] {
        let images: Vec<u8> = (0..40u8).flat_map(|n| [n % 10 * 25; 784]).collect();
        let labels: Vec<u8> = (0..40).map(|n| n % 10).collect();
        let head = [0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 28, 0, 0, 0, 28];
        folder.write(&format!("{place}/{part}-images-idx3-ubyte"), [&head[..], &images].concat());
        folder.write(
            &format!("{place}/{part}-labels-idx1-ubyte"),
            [&head[..3], &[1], &head[4..8], &labels].concat(),
        );
    }
}

#[test]
fn the_list_says_what_there_is_and_where() {
    let folder = Folder::new();
    let list = onebit(&folder, ["data", "list"]).ok().stdout;
    let lines: Vec<&str> = list.lines().collect();
    assert!(lines[0].starts_with("name           what"), "{list}");
    assert!(lines[1].starts_with("iris ") && lines[1].ends_with("built in"), "{list}");
    assert!(
        lines[3].starts_with("mnist ") && lines[3].ends_with("60000  10000       10  28x28x1   11.6 MB  -"),
        "{list}"
    );
    assert_eq!(lines[8], "folder: data");

    write_digits(&folder, "data/mnist");
    let sets = onebit(&folder, ["data", "list", "--json"]).ok().json();
    let names: Vec<_> = sets.iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["iris", "digits", "mnist", "fashion-mnist", "cifar10", "svhn"]);
    assert_eq!((&sets[2]["place"], &sets[3]["place"]), (&"data/mnist".into(), &serde_json::Value::Null));
    assert_eq!((number(&sets[5], "samples"), number(&sets[5], "download_bytes")), (73257.0, 246_316_178.0));
    // The flag stands before the variable, which stands before the platform's place.
    let other = onebit(&folder, ["data", "list", "--data-dir", "elsewhere"]).ok().stdout;
    assert!(other.ends_with("folder: elsewhere\n"), "{other}");
    let home = [("HOME", "/home/me"), ("XDG_CACHE_HOME", "")];
    let list = onebit_with(&folder, ["data", "list"], &home).ok().stdout;
    if cfg!(target_os = "linux") {
        assert!(list.ends_with("folder: /home/me/.cache/onebit\n"), "{list}");
    }
}

#[test]
fn wrong_flags() {
    let folder = Folder::new();
    let known = "data get: expected one of mnist, fashion-mnist, cifar10, svhn, got imagenet";
    onebit(&folder, ["data", "get", "mnist", "imagenet"]).refused(2, &[known]);
    onebit(&folder, ["data", "get"]).refused(2, &["NAME"]);
    let address = "expected an address that starts with http:// or https://";
    onebit(&folder, ["data", "get", "mnist", "--mirror", "ftp://x/"]).refused(2, &["--mirror", address]);
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn runs_say_which_command_fetches_what_they_miss() {
    let folder = Folder::new();
    write_digits(&folder, "mine");
    let small = ["--epochs", "1", "--batch", "8", "--set", "network.hidden=[8]"];
    folder.onebit([&["train", "mnist-tiny", "--data", "mine"][..], &small].concat()).ok();
    for (set, args) in [
        ("mnist", vec!["train", "mnist-tiny"]),
        ("cifar10", vec!["train", "cifar10"]),
        ("svhn", vec!["train", "mnist-tiny", "--data", "svhn"]),
        ("fashion-mnist", vec!["train", "mnist-tiny", "--set", "data.source=fashion-mnist"]),
        ("mnist", vec!["eval", "mnist-tiny.onebit", "--data", "mnist"]),
    ] {
        let place = Path::new("data").join(set);
        let message = format!(
            "error: {set} is not in {}: download it with `onebit data get {set}`, or say where it is with --data DIR\n",
            place.display()
        );
        let run = folder.onebit(&args);
        assert_eq!((run.code, run.stderr), (Some(1), message), "{args:?}");
    }
}

#[test]
fn runs_find_what_was_fetched_by_its_name() {
    let folder = Folder::new();
    write_digits(&folder, "data/mnist");
    write_digits(&folder, "other/fashion-mnist");
    let train = |more: &[&str]| {
        let args = ["train", "mnist-tiny", "--epochs", "1", "--batch", "8", "--set", "network.hidden=[8]"];
        folder.onebit([&args, more].concat())
    };
    train(&["--out", "a.onebit"]).ok();
    train(&["--out", "b.onebit", "--data", "mnist"]).ok();
    // nothing to fetch
    train(&["--out", "c.onebit", "--download"]).ok();
    train(&["--out", "d.onebit", "--data-dir", "other", "--data", "fashion-mnist"]).ok();
    let a = folder.read("a.onebit");
    assert!(["b.onebit", "c.onebit", "d.onebit"].iter().all(|other| folder.read(other) == a));
    let eval = onebit(&folder, ["eval", "a.onebit", "--data", "mnist", "--json"]).ok().json();
    assert_eq!(number(&eval[0], "samples"), 40.0);

    // A checkpoint knows the folder, wherever it is resumed.
    train(&["--data-dir", "other", "--data", "fashion-mnist", "--checkpoint", "run.ckpt"]).ok();
    onebit_with(&folder, ["train", "--resume", "run.ckpt"], &[("ONEBIT_DATA", "none")]).ok();

    // A path of that name stands before the name.
    folder.write("svhn", "no folder");
    train(&["--data", "svhn"]).refused(1, &["which column holds the class"]);
}

#[test]
fn what_fails_is_said_for_every_address() {
    let folder = Folder::new();
    let server = Server::new(|request, _| match request.path.as_str() {
        "/mnist/train-images-idx3-ubyte.gz" => Reply::status("404 Not Found"),
        _ => Reply::file(b"too short"),
    });
    // What is published is out of reach behind a proxy that is not there.
    let proxy = Server::gone();
    let proxies = [("HTTPS_PROXY", proxy.url.as_str()), ("NO_PROXY", "127.0.0.1"), ("ONEBIT_DATA", "data")];
    let args = ["data", "get", "mnist", "--mirror", &server.url];
    let run = onebit_with(&folder, args, &proxies);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let error = run.stderr.lines().last().unwrap();
    let file = "train-images-idx3-ubyte.gz";
    for words in [
        format!(
            "error: mnist: cannot fetch {file}: {}mnist/{file}: the server answers 404 Not Found; ",
            server.url
        ),
        format!("{}{file}: expected 9912422 bytes, the server has 9; ", server.url),
        format!("https://ossci-datasets.s3.amazonaws.com/mnist/{file}: "),
        format!("https://storage.googleapis.com/cvdf-datasets/mnist/{file}: "),
    ] {
        assert!(error.contains(&words), "{error}\n{words}");
    }
    assert!(run.stdout.is_empty() && !folder.path("data/mnist").exists(), "{}", run.stdout);
}

#[test]
fn a_proxy_of_the_environment_is_asked() {
    let folder = Folder::new();
    let proxy = Server::new(|request, _| match request.path.as_str() {
        "CONNECT mirror.invalid:80" => Reply::tunnel(),
        "/svhn/train_32x32.mat" | "/train_32x32.mat" => Reply::status("410 Gone"),
        _ => Reply::status("403 Forbidden"),
    });
    let variables = [("HTTP_PROXY", proxy.url.as_str()), ("ONEBIT_DATA", "data")];
    let run = onebit_with(&folder, ["data", "get", "svhn", "--mirror", "http://mirror.invalid"], &variables);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(
        run.stderr.contains("http://mirror.invalid/train_32x32.mat: the server answers 410 Gone"),
        "{}",
        run.stderr
    );
    let asked: Vec<_> = proxy.requests().into_iter().map(|request| request.path).collect();
    let tunnel = "CONNECT mirror.invalid:80";
    assert_eq!(asked[..4], [tunnel, "/svhn/train_32x32.mat", tunnel, "/train_32x32.mat"]);
    assert!(asked[4].starts_with("CONNECT ufldl.stanford.edu"), "{asked:?}");
}

#[test]
fn mnist_is_fetched_and_learned_from() {
    let Some(real) = outside("mnist") else { return };
    let folder = Folder::new();
    // Breaks off once in the middle of the largest file.
    let server = Server::new(move |request, before| {
        let Some(name) = request.path.strip_prefix("/mnist/") else { return Reply::status("404 Not Found") };
        let reply = Reply::range(request, &std::fs::read(real.join(name)).unwrap());
        if before == 0 { reply.cut(5_000_000) } else { reply }
    });
    let events = onebit(&folder, ["data", "get", "mnist", "--json", "--mirror", &server.url]).json();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    assert_eq!((of("failed").len(), of("fetched").len(), of("set").len()), (1, 4, 1));
    assert_eq!(number(of("begins")[1], "from"), 4_912_422.0);
    assert!(of("progress").len() >= 5);
    let first = |from| Request { path: "/mnist/train-images-idx3-ubyte.gz".into(), from };
    assert_eq!(server.requests()[..2], [first(None), first(Some(4_912_422))]);

    let again = onebit(&folder, ["data", "get", "mnist", "--mirror", &server.url]).ok().stdout;
    assert_eq!(again.lines().filter(|line| line.ends_with(": exists already")).count(), 4, "{again}");
    assert_eq!((server.requests().len(), again.lines().last()), (5, Some("mnist is in data/mnist")));

    let args = ["train", "mnist-tiny", "--epochs", "1", "--set", "network.hidden=[32]", "--json"];
    let trained = onebit(&folder, args).ok().json();
    assert!(number(trained.last().unwrap(), "test_accuracy") > 0.6);
}
