//! Layers with a matrix product or a convolution, by binary or real weights.

pub(crate) mod abc;
pub(crate) mod active_rows;
pub(crate) mod conv;
pub(crate) mod dense;
pub(crate) mod patches;
pub(crate) mod real_conv;
pub(crate) mod real_dense;
pub(crate) mod real_layer;
pub(crate) mod real_weights;
pub(crate) mod reals;
pub(crate) mod scaling;

pub use abc::Abc;
pub use conv::Conv;
pub use dense::Dense;
pub use real_conv::RealConv;
pub use real_dense::RealDense;
pub use real_layer::RealLayer;
