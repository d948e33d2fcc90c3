//! Runs the `onebit` command in a temporary folder, and looks at what it says and leaves behind.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use onebit_testing::patience;
use serde_json::Value;
use tempfile::TempDir;

/// Two short phases of flip training on a table; the first has a batch size, the second takes all rows.
pub(crate) const CONFIG: &str = r#"method = "flip"
seed = 7
[data]
source = "table"
target = "kind"
test = 0.25
[network]
hidden = [32]
thresholds = 3
[[phase]]
epochs = 3
batch = 16
suppressor = 0
[[phase]]
epochs = 2
batch = "all"
suppressor = 1
"#;

/// The kinds of [`fish`], in the order in which a model knows them.
pub(crate) const KINDS: [&str; 3] = ["eel", "pike, \"northern\"", "sea bass"];

/// A table of `rows` fish, separated by `separator`, with awkward names: three kinds that differ clearly.
pub(crate) fn fish(rows: usize, separator: &str) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut csv = [&quoted("length; cm, from nose"), "width", "kind"].join(separator) + "\n";
    for row in 0..rows {
        let kind = row * 7 % 3;
        let wobble = (row * 37 % 101) as f32 / 100.0;
        let (length, width) = (2.0 * kind as f32 + wobble, 9.0 - 2.0 * kind as f32 - wobble);
        csv += &([length.to_string(), width.to_string(), quoted(KINDS[kind])].join(separator) + "\n");
    }
    csv
}

/// A folder of its own for a test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    /// A folder with a configuration `mine.toml`, its table `fish.csv`, and `mine.onebit` trained on them.
    pub(crate) fn trained() -> Self {
        let folder = Self::new();
        folder.write("mine.toml", CONFIG).write("fish.csv", fish(120, ","));
        folder.onebit(["train", "mine.toml", "--data", "fish.csv"]).ok();
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is below the folder")).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The files directly in the folder, with their bytes.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.0.path()).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.path().is_file());
        files.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
    }

    /// The names of the files directly in the folder.
    pub(crate) fn names(&self) -> Vec<String> {
        self.files().into_keys().collect()
    }

    /// The command, in this folder, not yet started.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onebit"));
        command.current_dir(self.0.path()).args(args).stdin(Stdio::null());
        command.env("ONEBIT_DATA", "data"); // not what this machine's user has fetched
        command
    }

    /// Runs the command to its end.
    pub(crate) fn onebit<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Run::of(&mut command)
    }

    /// Runs the command to its end with `input` on standard input, through a pipe.
    pub(crate) fn pipe<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: impl Into<Vec<u8>>,
    ) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let (mut stdin, input) = (child.stdin.take().expect("it is piped"), input.into());
        // The command may stop reading before the end: that is not an error of the test.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let output = patience::output(child);
        writer.join().unwrap();
        Run::new(&command, output)
    }

    /// Runs the command with a reader of standard output that is gone from the start.
    pub(crate) fn unread<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        let mut command = self.command(args);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Run::of(command.stdout(writer).stderr(Stdio::piped()))
    }

    /// Trains a model file and returns its bytes; the file is gone afterwards.
    pub(crate) fn model(&self, args: &[&str]) -> Vec<u8> {
        self.onebit([&["train"], args, &["--out", "model.tmp.onebit"]].concat()).ok();
        let bytes = self.read("model.tmp.onebit");
        fs::remove_file(self.path("model.tmp.onebit")).unwrap();
        bytes
    }
}

/// How a command ended.
pub(crate) struct Run {
    pub(crate) command: String,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let child = command.spawn().expect("the command starts");
        Self::new(command, patience::output(child))
    }

    pub(crate) fn new(command: &Command, output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("the command prints UTF-8");
        let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        let command = format!("onebit {}", args.join(" "));
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        assert!(!stderr.contains("panicked"), "{command}\n{stderr}");
        Self { command, code: output.status.code(), stdout, stderr }
    }

    /// It went well, and there was nothing to complain about.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.command);
        self
    }

    /// It ended with this code and a plain message that has all these words.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &[&str]) -> Self {
        let Self { command, stderr, .. } = &self;
        assert_eq!(self.code, Some(code), "{command}\n{stderr}");
        assert!(stderr.starts_with("error: "), "{command}\n{stderr}");
        assert!(!stderr.contains(|c: char| c.is_control() && c != '\n'), "{command}\n{stderr:?}");
        for word in words {
            assert!(stderr.contains(word), "{command}\nexpected `{word}` in\n{stderr}");
        }
        self
    }

    /// Standard output as JSON, one value a line.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }
}

/// A number in a JSON object.
#[track_caller]
pub(crate) fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("no number `{key}` in {value}"))
}

/// A number in a JSON object that is a share, from 0 to 1.
#[track_caller]
pub(crate) fn share(value: &Value, key: &str) -> f64 {
    let share = number(value, key);
    assert!((0.0..=1.0).contains(&share), "{key} is {share}");
    share
}
