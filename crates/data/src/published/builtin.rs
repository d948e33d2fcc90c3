//! Two small data sets inside the crate; `crates/data/data/README.md` names their sources.
//!
//! | name | rows | features | classes |
//! |---|---|---|---|
//! | `iris` | 150 | 4 lengths in cm | 3 species |
//! | `digits` | 1797 | 8x8 pixels, 0 to 16 | 10 digits |

use crate::{dataset::Dataset, image_shape::ImageShape, tables::read_table_from};

/// The built-in data sets by name, with the functions that create them.
pub const BUILTIN: [(&str, Make); 2] = [("iris", iris), ("digits", digits)];

type Make = fn() -> Dataset;

/// The built-in data set of this name; `None` for an unknown name.
///
/// ```
/// let iris = onebit_data::builtin("iris").expect("it is in the list");
/// assert_eq!(iris.label_names(), ["setosa", "versicolor", "virginica"]);
/// assert!(onebit_data::builtin("tulips").is_none());
/// ```
pub fn builtin(name: &str) -> Option<Dataset> {
    let (_, make) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Some(make())
}

/// Fisher's irises: length and width of sepals and petals in cm, for 50 flowers of each of 3 species.
pub fn iris() -> Dataset {
    embedded(include_str!("../../data/iris.csv"), "iris.csv", "species")
}

/// Digits of 13 writers: 8x8 pixels, each the number of inked points in a block of 4x4, from 0 to 16.
pub fn digits() -> Dataset {
    let shape = ImageShape { height: 8, width: 8, channels: 1 };
    let digits = embedded(include_str!("../../data/digits.csv"), "digits.csv", "digit");
    digits.with_image(shape).expect("the constant table has 64 features")
}

fn embedded(text: &str, name: &str, target: &str) -> Dataset {
    read_table_from(text.as_bytes(), name, target).expect("the constant table is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_set_is_found_by_its_name() {
        for (name, make) in BUILTIN {
            assert_eq!(builtin(name), Some(make()), "{name}");
        }
    }

    #[test]
    fn iris_is_complete() {
        let iris = iris();
        assert_eq!((iris.len(), iris.features()), (150, 4));
        assert_eq!(iris.class_counts(), [50, 50, 50]);
        assert_eq!(iris.label_names(), ["setosa", "versicolor", "virginica"]);
        assert_eq!(iris.feature_names()[3], "petal width (cm)");
        // The two rows in which the file at UCI differs from Fisher's article.
        assert_eq!(iris.gather(&[34, 37]), [4.9, 3.1, 1.5, 0.2, 4.9, 3.6, 1.4, 0.1]);
    }

    #[test]
    fn digits_is_complete() {
        let digits = digits();
        assert_eq!((digits.len(), digits.features()), (1797, 64));
        assert_eq!(digits.image().map(|image| image.to_string()), Some("8x8x1".into()));
        assert_eq!(digits.class_counts(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert_eq!(digits.label_names(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        let rows: Vec<usize> = (0..digits.len()).collect();
        assert!(digits.gather(&rows).iter().all(|pixel| (0.0..=16.0).contains(pixel)));
    }
}
