//! A CSV file with a header line as a data set: one column is the target, all others are features.
//!
//! ```
//! use onebit_train::data::read_table_from;
//!
//! let file = "width,height,kind\n1,2,tall\n3,1,wide\n".as_bytes();
//! let set = read_table_from(file, "boxes.csv", "kind")?;
//! assert_eq!(set.feature_names(), ["width", "height"]);
//! assert_eq!(set.label_names(), ["tall", "wide"]);
//! assert_eq!(set.gather(&[1]), [3.0, 1.0]);
//! # Ok::<(), onebit_train::data::DataError>(())
//! ```

use std::{collections::HashMap, io::Read, path::Path};

use super::{
    dataset::{Dataset, Samples},
    error::{DataError, listed, open, shown},
    features::choose,
    rows::Rows,
};

/// Reads a CSV file to learn from. The classes are the distinct texts in column `target`: in the order of
/// their numbers if all are numbers, else in the order of their letters.
///
/// # Errors
/// [`DataError::Open`] and those of [`read_table_from`].
pub fn read_table(path: impl AsRef<Path>, target: &str) -> Result<Dataset, DataError> {
    let (reader, name) = open(path.as_ref())?;
    read_table_from(reader, &name, target)
}

/// Reads a CSV text to learn from; `name` is how messages call it. See [`read_table`].
///
/// # Errors
/// The header: [`DataError::Empty`], [`DataError::Duplicate`], [`DataError::NoColumn`],
/// [`DataError::Unnamed`], [`DataError::NoFeatures`]. A row: [`DataError::Ragged`], [`DataError::Missing`],
/// [`DataError::NotANumber`], [`DataError::NotFinite`]. The target: [`DataError::OneClass`],
/// [`DataError::SameNumber`]. The file: [`DataError::NoRows`], [`DataError::Read`], [`DataError::NotText`].
pub fn read_table_from(reader: impl Read, name: &str, target: &str) -> Result<Dataset, DataError> {
    let mut found: Vec<String> = Vec::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut columns = Columns::read(reader, name, target, None, |label, _| {
        if let Some(&number) = numbers.get(label) {
            return Ok(number);
        }
        let number = found.len() as u32; // fewer than rows in memory
        found.push(label.to_string());
        numbers.insert(label.to_string(), number);
        Ok(number)
    })?;
    let column = || shown(target);
    if let [label] = &found[..] {
        return Err(DataError::OneClass { file: name.to_string(), column: column(), label: shown(label) });
    }
    let order = sorted(&found).map_err(|[first, second]| {
        let (first, second) = (shown(&found[first]), shown(&found[second]));
        DataError::SameNumber { file: name.to_string(), column: column(), first, second }
    })?;
    let mut rank = vec![0u32; found.len()];
    order.iter().zip(0..).for_each(|(&number, at)| rank[number] = at);
    columns.labels.iter_mut().for_each(|label| *label = rank[*label as usize]);
    columns.into_dataset(order.iter().map(|&number| found[number].clone()).collect())
}

/// Reads a CSV file to evaluate a model on, whose classes and features are given. Other columns may hold
/// anything; features are chosen by name, or by position if all names are others but just as many.
///
/// # Errors
/// [`DataError::UnknownLabel`] for a label that is not among `label_names`; [`DataError::Duplicate`] if those
/// are not unique; [`DataError::MissingColumns`] for features; else as [`read_table`], but one class is
/// enough.
pub fn read_table_with_labels(
    path: impl AsRef<Path>,
    target: &str,
    label_names: &[String],
    wanted: &[String],
) -> Result<Dataset, DataError> {
    let (reader, name) = open(path.as_ref())?;
    let numbers: HashMap<&str, u32> = label_names.iter().map(String::as_str).zip(0..).collect();
    let columns = Columns::read(reader, &name, target, Some(wanted), |label, line| {
        numbers.get(label).copied().ok_or_else(|| DataError::UnknownLabel {
            file: name.clone(),
            line,
            label: shown(label),
            known: listed(label_names.iter()),
        })
    })?;
    columns.into_dataset(label_names.to_vec())
}

/// What a file holds, before its classes have names.
struct Columns {
    feature_names: Vec<String>,
    values: Vec<f32>,
    labels: Vec<u32>,
}

impl Columns {
    /// `wanted` are the features of a model, or nothing for all columns. `label` turns a text in the target
    /// column and its line into the number of a class.
    fn read(
        reader: impl Read,
        name: &str,
        target: &str,
        wanted: Option<&[String]>,
        mut label: impl FnMut(&str, u64) -> Result<u32, DataError>,
    ) -> Result<Self, DataError> {
        let file = || name.to_string();
        let mut rows = Rows::new(reader, name)?;
        let names = rows.columns();
        if let (Some(at), None) = (names.iter().position(String::is_empty), wanted) {
            return Err(DataError::Unnamed { file: file(), column: at + 1 });
        }
        let Some(target) = names.iter().position(|name| name == target) else {
            let columns = listed(names.iter());
            return Err(DataError::NoColumn { file: file(), column: shown(target), columns });
        };
        let mut features: Vec<usize> = (0..names.len()).filter(|&column| column != target).collect();
        if features.is_empty() {
            return Err(DataError::NoFeatures { name: file() });
        }
        let mut feature_names: Vec<String> = features.iter().map(|&column| names[column].clone()).collect();
        if let Some(wanted) = wanted {
            features = choose(name, &feature_names, wanted)?.into_iter().map(|at| features[at]).collect();
            feature_names = wanted.to_vec();
        }
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        while rows.advance()? {
            for &column in &features {
                values.push(rows.number(column)?);
            }
            labels.push(label(rows.text(target)?, rows.line())?);
        }
        if labels.is_empty() {
            return Err(DataError::NoRows { name: file() });
        }
        Ok(Self { feature_names, values, labels })
    }

    fn into_dataset(self, label_names: Vec<String>) -> Result<Dataset, DataError> {
        let samples = Samples::Real { cols: self.feature_names.len(), values: self.values };
        Dataset::new(samples, self.labels, label_names, self.feature_names)
    }
}

/// The order of distinct labels, or two that are one number.
fn sorted(labels: &[String]) -> Result<Vec<usize>, [usize; 2]> {
    let integers: Option<Vec<i128>> = labels.iter().map(|label| label.parse().ok()).collect();
    let finite = |label: &String| label.parse().ok().filter(|number: &f64| number.is_finite());
    let reals: Option<Vec<f64>> = labels.iter().map(finite).collect();
    let compare = |a: usize, b: usize| match (&integers, &reals) {
        (Some(integers), _) => integers[a].cmp(&integers[b]),
        (None, Some(reals)) => (reals[a] + 0.0).total_cmp(&(reals[b] + 0.0)), // -0 + 0 is +0
        (None, None) => labels[a].cmp(&labels[b]),
    };
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| compare(a, b));
    match order.windows(2).find(|pair| compare(pair[0], pair[1]).is_eq()) {
        Some(pair) => Err([pair[0], pair[1]]),
        None => Ok(order),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &[u8]) -> String {
        read_table_from(text, "f.csv", "kind").unwrap_err().to_string()
    }

    /// The names of the classes, and the label of each row.
    fn classes(labels: &[&str]) -> (Vec<String>, Vec<u32>) {
        let text =
            format!("x,kind\n{}", labels.iter().map(|label| format!("0,{label}\n")).collect::<String>());
        let set = read_table_from(text.as_bytes(), "f.csv", "kind").unwrap();
        (set.label_names().to_vec(), set.labels().to_vec())
    }

    /// Reads with the classes of a model, `a` and `b`.
    fn with_labels(text: &str) -> Result<Dataset, DataError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.csv");
        std::fs::write(&path, text).unwrap();
        read_table_with_labels(path, "kind", &["b", "a"].map(String::from), &["x".to_string()])
    }

    #[test]
    fn the_target_may_stand_anywhere() {
        let expected = read_table_from(&b"x,y,kind\n1,2,a\n3,4.5e-1,b\n"[..], "", "kind").unwrap();
        assert_eq!(expected.gather(&[0, 1]), [1.0, 2.0, 3.0, 0.45]);
        let others: [&[u8]; 3] = [
            b"kind,x,y\na,1,2\nb,3,.45\n",
            b"x;kind;y\n1;a;2\n3;b;0.45",
            b"\xef\xbb\xbfx\tkind\ty\r\n+1\ta\t2\r\n3\tb\t0.45",
        ];
        for text in others {
            assert_eq!(read_table_from(text, "", "kind").unwrap(), expected);
        }
    }

    #[test]
    fn classes_are_sorted_as_numbers_or_else_as_texts() {
        assert_eq!(
            classes(&["10", "9", "-1", "9"]),
            (["-1", "9", "10"].map(String::from).to_vec(), vec![2, 1, 0, 1])
        );
        assert_eq!(classes(&["1e1", "9.5"]).0, ["9.5", "1e1"]);
        assert_eq!(classes(&["10", "9", "x"]).0, ["10", "9", "x"]);
        assert_eq!(classes(&["nan", "9", "10"]).0, ["10", "9", "nan"]);
        assert_eq!(classes(&["\"b,c\"", "a"]).0, ["a", "b,c"]);
        // Apart by one, where an f64 no longer tells them apart.
        assert_eq!(classes(&["9007199254740993", "9007199254740992"]).1, [1, 0]);
    }

    #[test]
    fn what_a_header_can_lack() {
        for empty in [&b""[..], b"\n\r\n  \n", b"\xef\xbb\xbf"] {
            assert_eq!(
                message(empty),
                "f.csv: expected a header line with the column names, got an empty file"
            );
        }
        assert_eq!(message(b"x,y\n1,2\n"), "f.csv: no column `kind`; the columns are x, y");
        assert_eq!(message(b"x,kind,x\n1,a,2\n"), "f.csv: column `x` appears twice");
        assert_eq!(message(b",x,kind\n0,1,a\n"), "f.csv: column 1 has no name; name it or leave it out");
        assert_eq!(message(b"kind\na\nb\n"), "f.csv: expected at least one feature column, got none");
    }

    #[test]
    fn what_a_row_can_lack() {
        assert_eq!(message(b"x,kind\n1,a\n\n2\n"), "f.csv, line 4: expected 2 fields, got 1");
        assert_eq!(message(b"x,kind\r\n1,a\r\n2,b,3\r\n"), "f.csv, line 3: expected 2 fields, got 3");
        assert_eq!(message(b"x,kind\n1,a\n ,b\n"), "f.csv, line 3, column `x`: missing value");
        assert_eq!(message(b"x,kind\n1,\n"), "f.csv, line 2, column `kind`: missing value");
        assert_eq!(message(b"x,kind\n1;5,a\n"), "f.csv, line 2, column `x`: expected a number, got `1;5`");
        for value in ["nan", "-inf", "1e39"] {
            assert_eq!(
                message(format!("x,kind\n{value},a\n").as_bytes()),
                format!("f.csv, line 2, column `x`: expected a finite number, got `{value}`")
            );
        }
        assert_eq!(message(b"x,kind\n1,\xff\n"), "f.csv, line 2, field 2: expected UTF-8 text");
        assert_eq!(message(b"x,kin\xff\n"), "f.csv, line 1, field 2: expected UTF-8 text");
    }

    #[test]
    fn what_a_file_can_lack() {
        assert_eq!(message(b"x,kind\n\n"), "f.csv: expected at least one row, got none");
        assert_eq!(
            message(b"x,kind\n1,a\n2,a\n"),
            "f.csv: expected at least two classes in column `kind`, got only `a`"
        );
        assert_eq!(
            message(b"x,kind\n1,2\n2,1\n3,1.0\n"),
            "f.csv: labels `1` and `1.0` in column `kind` are the same number"
        );
        let missing = read_table("no/such.csv", "kind").unwrap_err().to_string();
        assert!(missing.starts_with("cannot open no/such.csv: "), "{missing}");
        let folder = read_table(std::env::temp_dir(), "kind").unwrap_err();
        assert!(matches!(folder, DataError::Read { .. } | DataError::Open { .. }), "{folder}");
    }

    #[test]
    fn evaluation_keeps_the_models_classes() {
        let set = with_labels("x,kind\n1,a\n2,a\n").unwrap();
        assert_eq!((set.label_names()[0].as_str(), set.labels()), ("b", &[1, 1][..]));
        let error = with_labels("x,kind\n1,a\n2,c\n").unwrap_err().to_string();
        assert!(error.ends_with("f.csv: unknown label `c` at line 3; the model knows b, a"), "{error}");
    }
}
