//! The size of a model, computed from its shapes alone.

use alloc::{string::String, vec::Vec};

use crate::{
    columns::{ColumnKind, Columns},
    file::{ALIGN, GEOMETRY, HEADER, LAYER_RECORD, TENSOR_RECORD},
    layer::{Layer, Output, Thresholds},
    model::Model,
};

/// The size of a model in its file, part by part: see [`Model::size`].
///
/// ```text
/// file = header (64) + 32 a layer + 64 a tensor + the tensors, each at the next multiple of 64
/// tensor of bits: o ceil(i / 64) 8 bytes; of numbers: 4 bytes each; of text: 4 + its length each
/// ```
///
/// The prediction is exact: `model.size().total == model.to_bytes().len()`.
///
/// ```
/// use onebit_bits::BitTensor;
/// use onebit_model::{Affine, Binarize, Dense, Layer, Model, Output};
///
/// let binarize = Layer::Binarize(Binarize { features: 100, thresholds: vec![0.0] });
/// let dense = Dense { weights: BitTensor::zeros(10, 100), output: Output::Scores(Affine::identity(10)) };
/// let labels = (0..10).map(|class| class.to_string()).collect();
/// let model = Model::new(100, vec![binarize, Layer::Dense(dense)], labels)?;
///
/// let size = model.size();
/// assert_eq!((size.layers[1].bits, size.layers[1].numbers), (1000, 30));
/// assert_eq!(size.layers[1].bytes, 10 * 2 * 8 + 30 * 4); // a row of 100 bits takes two 64-bit words
/// assert_eq!(size.layers[1].bit_macs, 1000);
/// assert_eq!(size.total, model.to_bytes().len());
/// # Ok::<(), onebit_model::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    /// Size of each layer, first to last.
    pub layers: Vec<LayerSize>,
    /// Bytes of the means and scales of the features.
    pub standardize: usize,
    /// Bytes of the names of classes and features.
    pub names: usize,
    /// Bytes that describe the columns of a raw table.
    pub columns: usize,
    /// Bytes of header, records and padding between tensors.
    pub framing: usize,
    /// Bytes of the whole file.
    pub total: usize,
}

/// The size of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSize {
    /// Number of 1-bit weights.
    pub bits: usize,
    /// Number of 32-bit numbers: limits, thresholds, means, scales, shifts and the geometry of a convolution.
    pub numbers: usize,
    /// Bytes of its tensors in the file.
    pub bytes: usize,
    /// Multiplications of a bit by a bit for one sample, those with padding included.
    pub bit_macs: usize,
    /// Multiplications of a number by a bit for one sample: only the first layer has any.
    pub number_macs: usize,
}

impl<W: AsRef<[u64]>> Model<W> {
    /// The size of the model in its file, in total and part by part, and its multiplications a sample.
    pub fn size(&self) -> Size {
        let mut lengths = Vec::new();
        let mut layers = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let tensors = tensors(layer);
            let bytes = tensors.iter().map(Tensor::bytes).sum();
            let numbers = tensors.iter().map(|tensor| if tensor.bits { 0 } else { tensor.count() }).sum();
            let macs = layer.positions().saturating_mul(layer.weights());
            let (bit_macs, number_macs) = if index == 0 { (0, macs) } else { (macs, 0) };
            layers.push(LayerSize { bits: layer.weights(), numbers, bytes, bit_macs, number_macs });
            lengths.extend(tensors.iter().map(Tensor::bytes));
        }
        let standardize = [4 * self.inputs; 2];
        let names = [text(&self.labels), text(&self.features)];
        let names = if self.features.is_empty() { &names[..1] } else { &names };
        lengths.extend(standardize.iter().chain(names));
        let columns = self.columns.as_ref().map_or(Vec::new(), of_columns);
        lengths.extend(&columns);
        let records = HEADER + LAYER_RECORD * layers.len() + TENSOR_RECORD * lengths.len();
        let total = lengths.iter().fold(records, |end, length| end.next_multiple_of(ALIGN) + length);
        let framing = total - lengths.iter().sum::<usize>();
        let [standardize, names, columns] = [&standardize[..], names, &columns].map(|part| part.iter().sum());
        Size { layers, standardize, names, columns, framing, total }
    }
}

impl<W: AsRef<[u64]>> Layer<W> {
    /// How often one sample uses each weight.
    fn positions(&self) -> usize {
        match self {
            Layer::Conv(conv) => conv.output().map_or(0, |(sums, _)| sums.h.saturating_mul(sums.w)),
            _ => 1,
        }
    }
}

/// Bytes of a tensor of text.
fn text<'a>(strings: impl IntoIterator<Item = &'a String>) -> usize {
    strings.into_iter().map(|text| 4 + text.len()).sum()
}

/// Bytes of each tensor that describes the columns, in the order of the file.
fn of_columns(columns: &Columns) -> Vec<usize> {
    let columns = columns.as_slice();
    let categories = columns.iter().filter_map(|column| match &column.kind {
        ColumnKind::Categories(categories) => Some(text(categories)),
        ColumnKind::Number { .. } => None,
    });
    let names = text(columns.iter().map(|column| &column.name));
    let mut lengths = Vec::from([names, 4 * columns.len(), 4 * columns.len()]);
    lengths.extend(Some(categories.sum()).filter(|bytes: &usize| *bytes > 0));
    lengths
}

/// The shape of a tensor of bits or of 32-bit numbers.
struct Tensor {
    rows: usize,
    cols: usize,
    bits: bool,
}

impl Tensor {
    fn count(&self) -> usize {
        self.rows * self.cols
    }

    fn bytes(&self) -> usize {
        if self.bits { self.rows * self.cols.div_ceil(64) * 8 } else { 4 * self.count() }
    }
}

/// The tensors of a layer, in the order of the file.
fn tensors<W: AsRef<[u64]>>(layer: &Layer<W>) -> Vec<Tensor> {
    let numbers = |cols| Tensor { rows: 1, cols, bits: false };
    let bits = |rows, cols| Tensor { rows, cols, bits: true };
    let of =
        |thresholds: &Thresholds| [numbers(thresholds.limits.len()), bits(1, thresholds.descending.cols())];
    let mut all = Vec::new();
    match layer {
        Layer::Binarize(binarize) => all.push(numbers(binarize.thresholds.len())),
        Layer::Thermometer(thermometer) => all.push(numbers(thermometer.thresholds.len())),
        Layer::Dense(dense) => {
            all.push(bits(dense.weights.rows(), dense.weights.cols()));
            match &dense.output {
                Output::Bits(thresholds) => all.extend(of(thresholds)),
                Output::Scores(affine) => {
                    all.extend(
                        [&affine.mean, &affine.scale, &affine.shift].map(|values| numbers(values.len())),
                    );
                }
            }
        }
        Layer::Conv(conv) => {
            all.extend([numbers(GEOMETRY), bits(conv.weights.rows(), conv.weights.cols())]);
            all.extend(of(&conv.thresholds));
        }
    }
    all
}
