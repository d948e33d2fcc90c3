//! Signs, which turn real numbers into bits, and real activations.

pub(crate) mod elementwise;
pub(crate) mod estimator;
pub(crate) mod hard_tanh;
pub(crate) mod relu;
pub(crate) mod rprelu;
pub(crate) mod rsign;
pub(crate) mod sign;
pub(crate) mod stochastic_sign;
pub(crate) mod straight_through;
pub(crate) mod ternary_sign;
pub(crate) mod thermometer;

pub use elementwise::Elementwise;
pub use estimator::{Estimator, Slope};
pub use hard_tanh::HardTanh;
pub use relu::Relu;
pub use rprelu::{RPReLU, RPReLUParameters};
pub use rsign::RSign;
pub use sign::Sign;
pub use stochastic_sign::StochasticSign;
pub use ternary_sign::TernarySign;
pub use thermometer::Thermometer;
