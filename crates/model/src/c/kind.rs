//! The kinds of input that a layer can have, and their types in C.

use alloc::string::String;

/// The kind of a layer's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Bits,
    Reals,
    Bytes,
}

impl Kind {
    /// The suffix of the names of functions.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Bits => "bits",
            Kind::Reals => "reals",
            Kind::Bytes => "bytes",
        }
    }

    /// The type of an input value, or of 32 bits.
    pub(super) fn value(self) -> &'static str {
        match self {
            Kind::Bits => "uint32_t",
            Kind::Reals => "float",
            Kind::Bytes => "uint8_t",
        }
    }

    /// The type of a value in a patch, or of 32 bits.
    pub(super) fn patch(self) -> &'static str {
        match self {
            Kind::Bits | Kind::Reals => self.value(),
            Kind::Bytes => "int16_t",
        }
    }

    fn sum(self) -> &'static str {
        match self {
            Kind::Bits | Kind::Bytes => "int32_t",
            Kind::Reals => "float",
        }
    }

    fn limit(self) -> &'static str {
        match self {
            // 16 bits if all limits fit: `Network::limit`
            Kind::Bits => "limit",
            Kind::Reals => "float",
            Kind::Bytes => "int32_t",
        }
    }

    /// The text of a function with its placeholders replaced by the types of this kind.
    pub(super) fn apply(self, text: &str) -> String {
        text.replace("KIND", self.name())
            .replace("VALUE", self.value())
            .replace("PATCH", self.patch())
            .replace("COUNTED", if self == Kind::Bytes { "counted" } else { "" })
            .replace("SUM", self.sum())
            .replace("LIMIT", self.limit())
    }
}

/// The number of 32-bit words that hold `bits` bits.
pub(super) fn words(bits: usize) -> usize {
    bits.div_ceil(32)
}
