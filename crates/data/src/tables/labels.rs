//! The labels in the target column, and the check that they are classes.

use std::collections::HashMap;

use crate::error::{DataError, TableError, shown};

/// Up to this number of different labels, they are classes however few the rows.
const FEW: usize = 20;
/// Minimum mean number of rows per class, for labels that are numbers.
const ROWS_A_CLASS: usize = 4;
/// Maximum number of classes for labels that are numbers.
const MOST_NUMBERS: usize = 1000;

/// The labels of rows, numbered in order of appearance.
#[derive(Default)]
pub(crate) struct Labels {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
    labels: Vec<u32>,
}

impl Labels {
    pub(crate) fn push(&mut self, name: &str) {
        let label = match self.numbers.get(name) {
            Some(&label) => label,
            None => {
                let label = self.names.len() as u32; // fewer labels than rows, which fit in memory
                self.names.push(name.into());
                self.numbers.insert(name.into(), label);
                label
            }
        };
        self.labels.push(label);
    }

    /// The label of each row, and the names of the classes: in numeric order if all are numbers, otherwise in
    /// alphabetical order.
    pub(crate) fn finish(mut self, file: &str, column: &str) -> Result<(Vec<u32>, Vec<String>), DataError> {
        let (file, column) = (file.to_string(), shown(column));
        if let [label] = &self.names[..] {
            return Err(TableError::OneClass { file, column, label: shown(label) }.into());
        }
        let (different, rows) = (self.names.len(), self.labels.len());
        if different > FEW {
            let numbers = self.names.iter().map(|name| name.parse::<f64>());
            let numbers: Option<Vec<f64>> = numbers.map(|n| n.ok().filter(|n| n.is_finite())).collect();
            match numbers {
                Some(numbers)
                    if different > MOST_NUMBERS
                        || ROWS_A_CLASS * different > rows
                        || numbers.iter().any(|number| number.fract() != 0.0) =>
                {
                    return Err(TableError::Regression { file, column, different, rows }.into());
                }
                None if 2 * different > rows => {
                    return Err(TableError::TooManyClasses { file, column, different, rows }.into());
                }
                _ => {}
            }
        }
        let order = sorted(&self.names).map_err(|[first, second]| {
            let (first, second) = (shown(&self.names[first]), shown(&self.names[second]));
            TableError::SameNumber { file, column, first, second }
        })?;
        let mut rank = vec![0u32; different];
        order.iter().zip(0..).for_each(|(&number, at)| rank[number] = at);
        self.labels.iter_mut().for_each(|label| *label = rank[*label as usize]);
        Ok((self.labels, order.into_iter().map(|number| self.names[number].clone()).collect()))
    }
}

/// The order of distinct labels, or two labels that are the same number.
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
