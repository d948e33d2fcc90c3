//! Missing numbers of a table: their positions, and the means that replace them.

/// The positions of the values that replace missing ones, ascending: `row * cols + col`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Gaps(pub(crate) Vec<usize>);

impl Gaps {
    /// The gaps of the given rows, in this order, of a data set with `cols` columns.
    pub(crate) fn select(&self, rows: &[usize], cols: usize) -> Self {
        if self.0.is_empty() {
            return Self::default();
        }
        let gaps_of_row = |(to, &row): (usize, &usize)| {
            let first = self.0.partition_point(|&gap| gap < row * cols);
            let gaps = self.0[first..].iter().take_while(move |&&gap| gap < (row + 1) * cols);
            gaps.map(move |gap| gap - row * cols + to * cols)
        };
        Self(rows.iter().enumerate().flat_map(gaps_of_row).collect())
    }

    /// The mean of a column over the rows in which it is not missing, if there are any.
    pub(crate) fn mean(&self, values: &[f32], cols: usize, feature: usize) -> Option<f32> {
        let places = (feature..values.len()).step_by(cols);
        let known: Vec<f64> = places
            .filter(|place| self.0.binary_search(place).is_err())
            .map(|place| f64::from(values[place]))
            .collect();
        (!known.is_empty()).then(|| (known.iter().sum::<f64>() / known.len() as f64) as f32)
    }
}
