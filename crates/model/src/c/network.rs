//! Each layer as constant tables and a call.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use onebit_bits::{BitTensor, Pad};

use super::{
    kind::{Kind, words},
    piece::{Piece, Pieces},
    tables::Tables,
};
use crate::{
    layer::{Affine, Binarize, Conv, Dense, Layer, Limits, Output, Thermometer, Thresholds},
    model::{Model, Standardize},
};

/// The parts of a model in C, gathered layer by layer.
pub(super) struct Network {
    pub(super) tables: Tables,
    pub(super) pieces: Pieces,
    /// The body of `NAME_scores`.
    pub(super) calls: String,
    /// The kind of input of `NAME_scores`.
    pub(super) input: Kind,
    /// The function `feature`, if the first layer reads features through one; else empty.
    pub(super) feature: String,
    /// The sizes of the workspace.
    pub(super) room: Room,
    /// Whether all limits on sums of bits fit into 16 bits.
    short: bool,
    /// Which of the two [`PLACES`] the next layer writes to.
    turn: usize,
}

/// The sizes of the workspace, besides the scores.
#[derive(Default)]
pub(super) struct Room {
    /// Number of standardized features, if they are stored.
    pub(super) features: usize,
    /// Words of bits in each of the two [`PLACES`].
    pub(super) bits: [usize; 2],
    /// Number of values in the largest patch of each kind.
    pub(super) patches: Vec<(Kind, usize)>,
}

/// Members of the workspace that hold the bits between layers: layers write to them in turn.
pub(super) const PLACES: [&str; 2] = ["a", "b"];

impl Network {
    /// Gathers all layers of `model`.
    pub(super) fn new(model: &Model) -> Self {
        let (layers, first) = (&model.layers, &model.layers[0]);
        let mut network = Self {
            tables: Tables::default(),
            pieces: Pieces::default(),
            calls: String::new(),
            input: kind_of_input(first),
            feature: String::new(),
            room: Room::default(),
            short: layers.iter().skip(1).all(|layer| largest_sum(layer) < i64::from(i16::MAX)),
            turn: 0,
        };
        let mut x = network.features(model);
        for (index, layer) in layers.iter().enumerate() {
            let kind = if index == 0 { network.input } else { Kind::Bits };
            x = match layer {
                Layer::Binarize(b) => network.binarize(index, b),
                Layer::Thermometer(t) => network.thermometer(index, t),
                Layer::Dense(d) => network.dense(index, kind, d, &x),
                Layer::Conv(c) => network.conv(index, kind, c, &x),
            };
        }
        network
    }

    /// The C type of a limit on a sum of bits, and its bytes.
    pub(super) fn limit(&self) -> (&'static str, usize) {
        if self.short { ("int16_t", 2) } else { ("int32_t", 4) }
    }

    /// Adds the code that checks and standardizes the features; returns the C expression of their place.
    fn features(&mut self, model: &Model) -> String {
        if self.input == Kind::Bytes {
            return "x".into();
        }
        let expression = self.standardized(&model.standardize);
        self.feature = format!(
            "/* Feature i, standardized. */\n\
             static float feature(const float *x, uint32_t i)\n{{\n    return {};\n}}\n",
            expression.as_deref().unwrap_or("x[i]")
        );
        // these layers compare features one by one and read each through `feature`
        if matches!(model.layers[0], Layer::Binarize(_) | Layer::Thermometer(_)) {
            return "x".into();
        }
        self.pieces.add(Piece::InRange);
        let inputs = model.inputs;
        self.calls += &format!("    for (i = 0; i < {inputs}; i++) {{\n");
        let place = if expression.is_some() {
            self.pieces.add(Piece::Feature);
            self.room.features = inputs;
            self.calls += "        w->x[i] = feature(x, i);\n";
            "w->x"
        } else {
            "x"
        };
        self.calls += &format!("        if (!in_range({place}[i]))\n            return -1;\n    }}\n");
        place.into()
    }

    /// The C expression `(x - mean) * scale` of feature `i`; `None` for the identity.
    fn standardized(&mut self, Standardize { mean, scale }: &Standardize) -> Option<String> {
        if mean.iter().all(|&mean| mean == 0.0) && scale.iter().all(|&scale| scale == 1.0) {
            return None;
        }
        let [mean, scale] = [("feature_mean", mean), ("feature_scale", scale)].map(|(name, values)| {
            // equal numbers become a table of one
            let table = if values.iter().all(|x| *x == values[0]) { &values[..1] } else { &values[..] };
            self.tables.reals(name, table);
            format!("{name}[{}]", if table.len() == 1 { "0" } else { "i" })
        });
        Some(format!("rounded((x[i] - {mean}) * {scale})"))
    }

    fn binarize(&mut self, index: usize, Binarize { features, thresholds }: &Binarize) -> String {
        self.pieces.add(Piece::Binarize);
        self.tables.reals(&format!("thresholds_{index}"), thresholds);
        let (depth, y) = (thresholds.len(), self.place(features * thresholds.len()));
        self.calls += &format!(
            "    if (!binarize(x, {features}, thresholds_{index}, {depth}, {y}))\n        return -1;\n"
        );
        y
    }

    fn thermometer(&mut self, index: usize, thermometer: &Thermometer) -> String {
        let Thermometer { features, channels, thresholds } = thermometer;
        self.pieces.add(Piece::Thermometer);
        self.tables.reals(&format!("thresholds_{index}"), thresholds);
        let (depth, y) = (thermometer.depth(), self.place(features * thermometer.depth()));
        self.calls += &format!(
            "    if (!thermometer(x, {features}, {channels}, thresholds_{index}, {depth}, {y}))\n        return -1;\n"
        );
        y
    }

    fn dense(&mut self, index: usize, kind: Kind, Dense { weights, output }: &Dense, x: &str) -> String {
        let (units, inputs) = weights.shape();
        match output {
            Output::Bits(thresholds) => {
                self.pieces.add(Piece::Dense(kind));
                self.thresholds(index, kind, weights, thresholds);
                let (depth, y) = (thresholds.limits.len() / units, self.place(thresholds.limits.len()));
                self.calls += &format!(
                    "    dense_{}({x}, {inputs}, weights_{index}, limits_{index}, {units}, {depth}, {y});\n",
                    kind.name()
                );
                y
            }
            Output::Scores(Affine { mean, scale, shift }) => {
                self.pieces.add(Piece::Scores(kind));
                self.tables.bits(&format!("weights_{index}"), weights, |_| false);
                for (what, values) in [("mean", mean), ("scale", scale), ("shift", shift)] {
                    self.tables.reals(&format!("{what}_{index}"), values);
                }
                self.calls += &format!(
                    "    scores_{}({x}, {inputs}, weights_{index}, mean_{index}, scale_{index}, shift_{index}, \
                     {units}, scores);\n",
                    kind.name()
                );
                "scores".into()
            }
        }
    }

    fn conv(&mut self, index: usize, kind: Kind, conv: &Conv, x: &str) -> String {
        self.pieces.add(Piece::Conv(kind));
        let (rows, cols) = conv.output().map_or((0, 0), |(_, output)| (output.h, output.w));
        self.geometry(index, conv, (rows, cols));
        self.thresholds(index, kind, &conv.weights, &conv.thresholds);
        let descending = &conv.thresholds.descending;
        let all = if conv.pool.is_some() && descending.count_ones() > 0 {
            self.tables.bits(&format!("all_{index}"), descending, |_| false);
            format!("all_{index}")
        } else {
            "0".to_string()
        };
        let patch = conv.weights.cols();
        let size = match kind {
            // a patch padded with zeros is gathered twice: see text/patch_bits.c
            Kind::Bits if counts(conv) == 0 => 2 * words(patch),
            Kind::Bits => words(patch),
            Kind::Reals | Kind::Bytes => patch,
        };
        match self.room.patches.iter_mut().find(|(of, _)| *of == kind) {
            Some((_, room)) => *room = size.max(*room),
            None => self.room.patches.push((kind, size)),
        }
        let (y, kind) = (self.place(rows * cols * conv.geometry.c_out), kind.name());
        self.calls += &format!(
            "    conv_{kind}({x}, &geometry_{index}, weights_{index}, limits_{index}, {all}, w->patch_{kind}, {y});\n"
        );
        y
    }

    fn geometry(&mut self, index: usize, conv: &Conv, (rows, cols): (usize, usize)) {
        let (geometry, (h, w)) = (conv.geometry, conv.image);
        let [(ph, pw), (psh, psw)] = conv.pool.map_or([(1, 1); 2], |pool| [pool.kernel, pool.stride]);
        let sizes = [
            ("h", h),
            ("w", w),
            ("c", geometry.c_in),
            ("kh", geometry.kernel.0),
            ("kw", geometry.kernel.1),
            ("sh", geometry.stride.0),
            ("sw", geometry.stride.1),
            ("top", geometry.padding.top),
            ("left", geometry.padding.left),
            ("groups", geometry.groups),
            ("units", geometry.c_out),
            ("ph", ph),
            ("pw", pw),
            ("psh", psh),
            ("psw", psw),
            ("rows", rows),
            ("cols", cols),
        ];
        let mut fields: Vec<_> = sizes.iter().map(|&(name, size)| (name, size as i64)).collect();
        fields.insert(9, ("pad", counts(conv)));
        self.tables.structure("geometry", &format!("geometry_{index}"), &fields);
    }

    /// Adds the tables of weights and limits. A descending unit gets the opposite weights and limits, so that
    /// all units compare alike: `s <= limit` if and only if `-s >= -limit`, and negating all weights negates
    /// a sum exactly.
    fn thresholds(&mut self, index: usize, kind: Kind, weights: &BitTensor, thresholds: &Thresholds) {
        let Thresholds { limits, descending } = thresholds;
        let (units, down) = (weights.rows(), |unit| descending.get(0, unit));
        let name = format!("limits_{index}");
        self.tables.bits(&format!("weights_{index}"), weights, down);
        match limits {
            Limits::Real(limits) => {
                let turned = limits.iter().enumerate().map(|(at, &l)| if down(at % units) { -l } else { l });
                self.tables.reals(&name, &turned.collect::<Vec<_>>());
            }
            Limits::Integer(limits) => {
                // clamped just beyond the possible sums, which changes no comparison and keeps limits short
                let most = weights.cols() as i64 * largest_input(kind);
                let turned = limits.iter().enumerate().map(|(at, &limit)| {
                    let limit = i64::from(limit) * if down(at % units) { -1 } else { 1 };
                    limit.clamp(-most, most + 1).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
                });
                let (of, bytes) = if kind == Kind::Bits { self.limit() } else { ("int32_t", 4) };
                self.tables.integers(of, bytes, &name, &turned.collect::<Vec<_>>());
            }
        }
    }

    /// The place where the next layer writes `bits` bits: never the one that it reads.
    fn place(&mut self, bits: usize) -> String {
        let (turn, room) = (self.turn, words(bits));
        self.room.bits[turn] = room.max(self.room.bits[turn]);
        self.turn = 1 - turn;
        format!("w->{}", PLACES[turn])
    }
}

/// The kind of input of the first layer: bytes if its limits are integers.
fn kind_of_input(first: &Layer) -> Kind {
    let limits = match first {
        Layer::Dense(Dense { output: Output::Bits(thresholds), .. }) => &thresholds.limits,
        Layer::Conv(conv) => &conv.thresholds.limits,
        _ => return Kind::Reals,
    };
    if matches!(limits, Limits::Integer(_)) { Kind::Bytes } else { Kind::Reals }
}

/// The largest absolute value that an input counts as.
fn largest_input(kind: Kind) -> i64 {
    if kind == Kind::Bytes { 255 } else { 1 }
}

/// The largest absolute sum of a layer over bits.
fn largest_sum(layer: &Layer) -> i64 {
    match layer {
        Layer::Dense(dense) => dense.weights.cols() as i64,
        Layer::Conv(conv) => conv.weights.cols() as i64,
        Layer::Binarize(_) | Layer::Thermometer(_) => 0,
    }
}

/// What padding counts as. Without padding it is -1, which takes the least work.
fn counts(conv: &Conv) -> i64 {
    let padding = conv.geometry.padding;
    let outside = [padding.top, padding.left, padding.bottom, padding.right].iter().any(|&pixels| pixels > 0);
    match conv.geometry.pad {
        Pad::Plus => 1,
        Pad::Zero if outside => 0,
        _ => -1,
    }
}
