//! The C functions, and which of them a model needs.

use alloc::{collections::BTreeSet, string::String};

use super::kind::Kind;

/// A C function, or several that belong together. The order is that of their definitions in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Rounded,
    Bit,
    Set,
    InRange,
    /// The function `feature`, which differs from model to model.
    Feature,
    Binarize,
    Thermometer,
    Counted,
    Sum(Kind),
    Dense(Kind),
    Taps,
    Patch(Kind),
    SumPatch(Kind),
    Conv(Kind),
    Scores(Kind),
}

/// The type of a geometry, which comes before the tables.
pub(super) const GEOMETRY: &str = concat!(include_str!("text/geometry.c"), "\n");

impl Piece {
    /// The C text; `feature` is that of [`Piece::Feature`].
    fn text(self, feature: &str) -> String {
        match self {
            Piece::Feature => feature.into(),
            Piece::Rounded => include_str!("text/rounded.c").into(),
            Piece::Bit => include_str!("text/bit.c").into(),
            Piece::Set => include_str!("text/set.c").into(),
            Piece::InRange => include_str!("text/in_range.c").into(),
            Piece::Binarize => include_str!("text/binarize.c").into(),
            Piece::Thermometer => include_str!("text/thermometer.c").into(),
            Piece::Sum(Kind::Bits) => include_str!("text/sum_bits.c").into(),
            Piece::Sum(Kind::Reals) => include_str!("text/sum_reals.c").into(),
            Piece::Sum(Kind::Bytes) => include_str!("text/sum_bytes.c").into(),
            Piece::Dense(kind) => kind.apply(include_str!("text/dense.c")),
            Piece::Taps => include_str!("text/taps.c").into(),
            Piece::Patch(Kind::Bits) => include_str!("text/patch_bits.c").into(),
            Piece::Counted => include_str!("text/counted.c").into(),
            Piece::Patch(kind) => kind.apply(include_str!("text/patch_values.c")),
            Piece::SumPatch(Kind::Bytes) => include_str!("text/sum_patch_bytes.c").into(),
            Piece::SumPatch(kind) => kind.apply(include_str!("text/sum_patch.c")),
            Piece::Conv(kind) => kind.apply(include_str!("text/conv.c")),
            Piece::Scores(kind) => kind.apply(include_str!("text/scores.c")),
        }
    }

    /// The pieces that this one calls.
    fn needs(self) -> &'static [Piece] {
        use Kind::{Bits, Bytes, Reals};
        match self {
            Piece::Binarize | Piece::Thermometer => &[Piece::Set, Piece::InRange, Piece::Feature],
            Piece::Dense(Bits) => &[Piece::Set, Piece::Sum(Bits)],
            Piece::Dense(Reals) => &[Piece::Set, Piece::Sum(Reals)],
            Piece::Dense(Bytes) => &[Piece::Set, Piece::Counted, Piece::Sum(Bytes)],
            Piece::Scores(Bits) => &[Piece::Rounded, Piece::Sum(Bits)],
            Piece::Scores(Reals) => &[Piece::Rounded, Piece::Sum(Reals)],
            Piece::Scores(Bytes) => &[Piece::Rounded, Piece::Counted, Piece::Sum(Bytes)],
            Piece::Conv(Bits) => &[Piece::Bit, Piece::Set, Piece::Taps, Piece::Sum(Bits), Piece::Patch(Bits)],
            Piece::Conv(Reals) => &[
                Piece::Bit,
                Piece::Set,
                Piece::Taps,
                Piece::Sum(Reals),
                Piece::Patch(Reals),
                Piece::SumPatch(Reals),
            ],
            Piece::Conv(Bytes) => &[
                Piece::Bit,
                Piece::Set,
                Piece::Taps,
                Piece::Counted,
                Piece::Patch(Bytes),
                Piece::SumPatch(Bytes),
            ],
            _ => &[],
        }
    }
}

/// The pieces of a model, each once. Compilers warn of functions that are never called, so it has no others.
#[derive(Default)]
pub(super) struct Pieces(BTreeSet<Piece>);

impl Pieces {
    /// Adds a piece and what it calls.
    pub(super) fn add(&mut self, piece: Piece) {
        self.0.insert(piece);
        self.0.extend(piece.needs());
    }

    /// The text of all pieces, in order.
    pub(super) fn text(&self, feature: &str) -> String {
        self.0.iter().map(|piece| piece.text(feature) + "\n").collect()
    }
}
