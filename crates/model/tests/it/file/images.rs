//! Files with convolutions: what is written, and what is refused.

use std::{fs, io::ErrorKind, path::Path, process::Command};

use onebit_bits::{BitTensor, Engine, Geometry, Pad, Padding, Pool};
use onebit_model::{Affine, Conv, Dense, Layer, Limits, Model, Output, Thresholds};

use super::forged::{Forged, crc32};

/// Images of 4 x 3 pixels of 2 channels: a convolution over reals with pooling, one over bits in groups, two
/// classes.
fn model() -> Model {
    let bits = |rows, cols| BitTensor::from_fn(rows, cols, |r, c| (r + c) % 3 == 0);
    let first = Conv {
        geometry: Geometry { padding: Padding::around(1), ..Geometry::new(2, 4, (3, 3)) },
        image: (4, 3),
        weights: bits(4, 18),
        pool: Some(Pool { kernel: (2, 2), stride: (2, 1) }),
        thresholds: Thresholds { limits: Limits::Real(vec![0.5, -1.0, 0.0, 2.0]), descending: bits(1, 4) },
    };
    let padding = Padding { bottom: 1, ..Padding::default() };
    let second = Conv {
        geometry: Geometry {
            stride: (1, 2),
            padding,
            pad: Pad::Minus,
            groups: 2,
            ..Geometry::new(4, 6, (2, 2))
        },
        image: (2, 2),
        weights: bits(6, 8),
        pool: None,
        thresholds: Thresholds { limits: Limits::Integer(vec![0, 2, 0, -2, 4, 0]), descending: bits(1, 6) },
    };
    let last = Dense { weights: bits(2, 12), output: Output::Scores(Affine::identity(2)) };
    let layers = vec![Layer::Conv(first), Layer::Conv(second), Layer::Dense(last)];
    Model::new(24, layers, ["a", "b"].map(String::from).to_vec()).unwrap()
}

fn forged(change: impl FnOnce(&mut Forged)) -> String {
    let mut forged = Forged::from_sound(&model().to_bytes());
    change(&mut forged);
    Model::from_bytes(&forged.bytes()).unwrap_err().to_string()
}

/// The message about another number in the geometry of the second layer.
fn with_number(at: usize, number: i32) -> String {
    with_numbers(&[(at, number)])
}

fn with_numbers(changes: &[(usize, i32)]) -> String {
    forged(|f| {
        for (at, number) in changes {
            f.tensor("1.geometry").data[4 * at..][..4].copy_from_slice(&number.to_le_bytes());
        }
    })
}

#[test]
fn its_bytes_stay_what_they_are() {
    let bytes = model().to_bytes();
    assert_eq!(bytes[8..12], [2, 0, 0, 0]);
    assert_eq!(Model::from_bytes(&bytes).unwrap(), model());
    let file = Forged::from_sound(&bytes);
    assert_eq!(file.layers, [[4, 24, 4, 1], [4, 16, 6, 1], [3, 12, 2, 0]]);
    let mut file = file;
    let numbers = |f: &mut Forged, name| {
        let data = f.tensor(name).data.clone();
        data.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&mut file, "0.geometry"), [4, 3, 2, 3, 3, 1, 1, 1, 1, 1, 1, 0, 1, 2, 2, 2, 1]);
    assert_eq!(numbers(&mut file, "1.geometry"), [2, 2, 4, 2, 2, 1, 2, 0, 0, 1, 0, -1, 2, 0, 0, 0, 0]);
    assert_eq!(format!("{} {:08x}", bytes.len(), crc32(&bytes)), "2314 2a64c8a1");
}

/// So there is one file for each model, and the version, which no checksum covers, cannot change unnoticed.
#[test]
fn convolutions_need_version_2_and_nothing_else_has_it() {
    assert_eq!(forged(|f| f.version = 1), "layer 0: a convolution needs version 2 of the format");
    let mut newer = Forged::from_sound(&super::tiny::bytes());
    newer.version = 2;
    let refused = Model::from_bytes(&newer.bytes()).unwrap_err().to_string();
    assert_eq!(refused, "header: version 2 of the format, but no convolution");
}

#[test]
fn records_that_do_not_fit() {
    assert_eq!(forged(|f| f.layers[1][3] = 2), "layer 1: a convolution must have depth 1");
    assert_eq!(forged(|f| f.layers[1][3] = 0), "layer 1: a convolution must have depth 1");
    let columns = "layer 1: the size of its images differs from its number of inputs";
    assert_eq!(forged(|f| f.layers[1][1] = 17), columns);
    assert_eq!(with_numbers(&[(0, i32::MAX), (1, i32::MAX), (2, i32::MAX)]), columns);
    let wide = "tensor `1.weights`: expected Bits of 8 x 8, got Bits of 6 x 8";
    assert_eq!(forged(|f| f.layers[1][2] = 8), wide);
    let long = forged(|f| f.tensor("1.geometry").cols = 18);
    assert_eq!(long, "tensor 4: length does not fit type and shape");
    let one_more = forged(|f| {
        let geometry = f.tensor("1.geometry");
        geometry.cols = 18;
        geometry.data.extend([0; 4]);
    });
    assert_eq!(one_more, "tensor `1.geometry`: expected I32 of 1 x 17, got I32 of 1 x 18");
}

#[test]
fn geometry_that_cannot_be() {
    for at in 0..17 {
        let problem = match at {
            11 => "the padding value is not -1, 0 or 1",
            _ => "the geometry has a negative size",
        };
        assert_eq!(with_number(at, if at == 11 { -2 } else { -1 }), format!("layer 1: {problem}"), "{at}");
    }
    let groups = |n| {
        format!("layer 1: conv: groups must divide the 4 channels of the input and 6 of the output, got {n}")
    };
    let alone = "layer 1: the padding must be smaller than the kernel";
    for (changes, message) in [
        (&[(3, 0)][..], "layer 1: conv: kernel must be at least 1 x 1, got 0 x 2".into()),
        (&[(6, 0)], "layer 1: conv: stride must be at least 1 x 1, got 1 x 0".into()),
        (&[(12, 0)], groups(0)),
        (&[(12, 4)], groups(4)),
        (&[(12, i32::MAX)], groups(i32::MAX)),
        // other taps need other weights
        (&[(3, 1)], "tensor `1.weights`: expected Bits of 6 x 4, got Bits of 6 x 8".into()),
        (&[(3, i32::MAX)], "layer 1: conv: 2147483647 x 2 is too large".into()),
        // a kernel of as many weights that does not fit
        (&[(3, 4), (4, 1)], "layer 1: conv: a kernel of 4 x 1 does not fit into an image of 3 x 2".into()),
        // as much padding as there are integers, and just too much
        (&[(7, i32::MAX)], alone.into()),
        (&[(7, i32::MAX), (9, i32::MAX), (8, i32::MAX), (10, i32::MAX)], alone.into()),
        (&[(9, 2)], alone.into()),
        (&[(13, 2)], "layer 1: pool: window must be at least 1 x 1, got 2 x 0".into()),
        (&[(13, 1), (14, 1)], "layer 1: pool: stride must be at least 1 x 1, got 0 x 0".into()),
        (
            &[(13, 3), (14, 1), (15, 1), (16, 1)],
            "layer 1: pool: a kernel of 3 x 1 does not fit into an image of 2 x 1".into(),
        ),
        (&[(5, i32::MAX)], "layer 1: a stride is more than 2^24 pixels".into()),
        // a sound geometry, of another size than the next layer
        (&[(6, 1), (10, 1)], "layer 2: inputs: expected 24, got 12".into()),
    ] {
        assert_eq!(with_numbers(changes), message, "{changes:?}");
    }
    assert_eq!(
        forged(|f| f.tensor("0.geometry").data[4 * 11] = 1),
        "layer 0: images of real numbers or bytes can only be padded with zeros"
    );
}

/// Few bytes that ask for much: refused before anything of that size exists.
#[test]
fn images_that_would_take_much_memory() {
    // a row of pixels under a column of weights: its padded image is their product
    let sized = |length: usize, outputs: usize| {
        let geometry = Geometry {
            padding: Padding { top: length - 1, bottom: length - 1, ..Padding::default() },
            pad: Pad::Plus,
            ..Geometry::new(1, outputs, (length, 1))
        };
        let conv = Conv {
            geometry,
            image: (1, length),
            weights: BitTensor::zeros(outputs, length),
            pool: None,
            thresholds: Thresholds {
                limits: Limits::Integer(vec![0; outputs]),
                descending: BitTensor::zeros(1, outputs),
            },
        };
        let sums = length * length * outputs;
        let pool = Pool { kernel: (length, length), stride: (1, 1) };
        let conv = Layer::Conv(Conv { pool: (sums > 1 << 20).then_some(pool), ..conv });
        let inputs = conv.outputs();
        let last =
            Dense { weights: BitTensor::zeros(1, inputs), output: Output::Scores(Affine::identity(1)) };
        let first = onebit_model::Binarize { features: length, thresholds: vec![0.0] };
        let layers = vec![Layer::Binarize(first), conv, Layer::Dense(last)];
        Model::new(length, layers, vec!["a".into()])
    };
    let small = sized(100, 4).unwrap();
    assert_eq!(small.classify(&Engine::single(), &[1.0; 200]).unwrap(), [0, 0]);
    for (length, outputs) in [(4096, 2), (1 << 16, 1), (1000, 17)] {
        let message = sized(length, outputs).unwrap_err().to_string();
        assert_eq!(message, "layer 1: an image has more than 2^24 values", "{length} {outputs}");
    }
}

/// The Python of `docs/reference/format.md` gives the same scores, where there is a Python.
#[test]
fn the_reader_of_the_specification_agrees() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/format.md");
    let specification = fs::read_to_string(path).expect("the specification, in the repository");
    let blocks = specification.split("```python\n").skip(1);
    let code: String = blocks.map(|block| block.split("```").next().unwrap()).collect();
    for (index, model) in [model(), super::tiny::model(), super::thermometer::model()].into_iter().enumerate()
    {
        let x: Vec<f32> = (0..5 * model.inputs()).map(|at| (at * 37 % 23) as f32 / 7.0 - 1.5).collect();
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("specification-{index}.onebit"));
        model.save(&file).unwrap();
        let rows = x.chunks(model.inputs()).map(|row| format!("{row:?}")).collect::<Vec<_>>().join(",");
        // the numbers as written are not those of f32, which they become first
        let run = format!(
            "{code}\nimport sys\nlayers, t = read(sys.argv[1])\nfor x in [{rows}]:\n    \
             print(*scores(layers, t, [f32(v) for v in x]))"
        );
        let python = match Command::new("python3").args(["-c", &run]).arg(&file).output() {
            Err(e) if e.kind() == ErrorKind::NotFound => return,
            python => python.unwrap(),
        };
        let text = String::from_utf8(python.stdout).unwrap();
        assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
        let read: Vec<f32> = text.split_whitespace().map(|score| score.parse().unwrap()).collect();
        assert_eq!(read, model.scores(&Engine::single(), &x).unwrap());
        assert!(read.iter().any(|score| *score != read[0]), "{read:?}");
    }
}
