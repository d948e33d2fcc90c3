//! Numbers to fewer bits: to signs by comparison, and to bytes and ternaries by stochastic rounding.

pub mod int8;
mod noise;
pub mod pack;
pub mod random_signs;
mod scaled_ternary;
mod stochastic;

pub use int8::Int8;
pub use noise::Noise;
pub use pack::{
    Above, Sum, pack_above, pack_above_into, pack_at_least, pack_signs, pack_signs_into, pack_thresholds,
    sign_words, unpack_signs,
};
pub use random_signs::pack_random_signs_into;
pub use scaled_ternary::ScaledTernary;
