//! Files that are wrong: each kind of fault has its message, and none of them a panic.

use onebit_model::{Error, Model};

use super::{
    forged::{BITS, F32, Forged, I32, TEXT, Tensor, crc32, sealed},
    tiny,
};

const MAX: u32 = u32::MAX;

/// Where the records of the tiny file stand.
const LAYERS: usize = 64;
const TENSORS: usize = LAYERS + 3 * 32;

/// The message about these bytes.
fn refusal(bytes: &[u8]) -> String {
    Model::from_bytes(bytes).unwrap_err().to_string()
}

/// The message about the tiny file with some bytes replaced, its checksum corrected.
fn patched(at: usize, new: &[u8]) -> String {
    let mut bytes = tiny::bytes();
    bytes[at..at + new.len()].copy_from_slice(new);
    refusal(&sealed(bytes))
}

/// The message about the tiny file with a part changed, put together as a sound writer would.
fn forged(change: impl FnOnce(&mut Forged)) -> String {
    let mut forged = Forged::from_sound(&tiny::bytes());
    change(&mut forged);
    refusal(&forged.bytes())
}

fn extra(name: &[u8], kind: u32, (rows, cols): (u32, u32), data: &[u8]) -> Tensor {
    Tensor { name: name.to_vec(), kind, rows, cols, data: data.to_vec() }
}

#[test]
fn the_forger_is_able() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926); // the check value of CRC-32/ISO-HDLC
    assert_eq!(Forged::from_sound(&tiny::bytes()).bytes(), tiny::bytes());
}

// === what a reader must put up with ===

#[test]
fn tensors_may_come_in_any_order_with_others_among_them() {
    let mut forged = Forged::from_sound(&tiny::bytes());
    forged.tensors.reverse();
    forged.tensors.insert(3, extra(b"a name of exactly 32 bytes, full", F32, (0, 7), &[]));
    forged.tensors.insert(0, extra(b"notes", TEXT, (1, 1), b"\x02\0\0\0hi"));
    assert_eq!(Model::from_bytes(&forged.bytes()).unwrap(), tiny::model());
    assert_eq!(Model::tensors(&forged.bytes()).unwrap().len(), 14);
}

#[test]
fn names_of_features_may_be_missing() {
    let mut forged = Forged::from_sound(&tiny::bytes());
    forged.tensors.pop();
    assert_eq!(Model::from_bytes(&forged.bytes()).unwrap(), tiny::model().with_features(vec![]).unwrap());
}

// === the frame ===

#[test]
fn every_changed_byte_is_noticed() {
    let mut bytes = tiny::bytes();
    for at in 0..bytes.len() {
        for change in 1..=255 {
            bytes[at] ^= change;
            assert!(Model::from_bytes(&bytes).is_err(), "byte {at} ^ {change}");
            bytes[at] ^= change;
        }
    }
    assert!(Model::from_bytes(&bytes).is_ok());
}

#[test]
fn every_cut_is_noticed() {
    let bytes = tiny::bytes();
    for length in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        if length >= 64 {
            assert!(Model::from_bytes(&sealed(bytes[..length].to_vec())).is_err(), "{length} bytes, sealed");
        }
    }
}

#[test]
fn magic() {
    let message = "not a .onebit file: it does not start with the magic bytes";
    // The last one went through a transfer that changed line feeds.
    for bytes in [b"".as_slice(), b"\x89ONEBIT", b"GGUF\0\0\0\0", b"\x89ONEBIT\r\n"] {
        assert_eq!(refusal(bytes), message);
        assert!(matches!(Model::from_bytes(bytes), Err(Error::Magic)));
    }
}

#[test]
fn version() {
    for version in [0, 6, MAX] {
        let message = format!("format version {version} is not supported; this reader knows versions 1 to 5");
        assert_eq!(patched(8, &version.to_le_bytes()), message);
    }
}

#[test]
fn length() {
    let bytes = tiny::bytes();
    assert_eq!(refusal(&bytes[..8]), "file length: expected 64 bytes, got 8");
    assert_eq!(refusal(&bytes[..63]), "file length: expected 64 bytes, got 63");
    assert_eq!(refusal(&bytes[..1673]), "file length: expected 1674 bytes, got 1673");
    assert_eq!(refusal(&[bytes.as_slice(), b"\n"].concat()), "file length: expected 1674 bytes, got 1675");
    let mut endless = bytes;
    endless[16..24].fill(0xff);
    assert_eq!(refusal(&endless), "file length: expected 18446744073709551615 bytes, got 1674");
}

#[test]
fn checksum() {
    let mut bytes = tiny::bytes();
    let expected = crc32(&bytes[16..]);
    bytes[1673] = b'z';
    let got = crc32(&bytes[16..]);
    let message = format!("checksum: expected {expected:08x}, got {got:08x}; the file is damaged");
    assert_eq!(refusal(&bytes), message);
}

#[test]
fn header() {
    for at in 40..64 {
        assert_eq!(patched(at, &[1]), "header: reserved bytes are not zero");
    }
    for (tensors, layers) in [(MAX, 3), (12, MAX), (MAX, MAX), (25, 3), (12, 50)] {
        let counts = [tensors, layers].map(u32::to_le_bytes);
        assert_eq!(patched(24, counts.as_flattened()), "header: the records do not fit into the file");
    }
}

// === records ===

#[test]
fn layers() {
    for layer in 0..3 {
        for at in 16..32 {
            let message = format!("layer {layer}: reserved bytes are not zero");
            assert_eq!(patched(LAYERS + 32 * layer + at, &[1]), message);
        }
        for kind in [0, 8, MAX] {
            assert_eq!(forged(|f| f.layers[layer][0] = kind), format!("layer {layer}: unknown kind"));
        }
    }
    let message = "layer 0: binarize must have as many outputs as inputs";
    assert_eq!(forged(|f| f.layers[0][2] = 3), message);
    assert_eq!(forged(|f| f.layers[2][3] = 1), "layer 2: a layer that outputs scores must have depth 0");
}

#[test]
fn tensor_names() {
    let named = |name: &[u8]| forged(|f| f.tensors[1].name = name.to_vec());
    assert_eq!(named(b""), "tensor 1: name is empty or not padded with zeros");
    assert_eq!(named(b"a\0b"), "tensor 1: name is empty or not padded with zeros");
    assert_eq!(named(b"\xff"), "tensor 1: name is not UTF-8");
    assert_eq!(named(b"0.thresholds"), "tensor 1: a second tensor of this name");
    let twice = forged(|f| f.tensors.push(extra(b"labels", F32, (0, 0), &[])));
    assert_eq!(twice, "tensor 12: a second tensor of this name");
}

#[test]
fn tensor_types() {
    for kind in [0, 6, MAX] {
        assert_eq!(forged(|f| f.tensors[2].kind = kind), "tensor 2: unknown element type");
    }
    for at in 44..48 {
        assert_eq!(patched(TENSORS + 64 * 2 + at, &[1]), "tensor 2: reserved bytes are not zero");
    }
}

#[test]
fn tensor_lengths() {
    let with =
        |kind, shape, length: usize| forged(|f| f.tensors[4] = extra(b"t", kind, shape, &vec![0; length]));
    // Sizes whose product has more than 64 bits; the low 64 of some are 0.
    let huge = [(MAX, MAX), (1 << 31, 1 << 31), (1 << 31, MAX)];
    let wrong = [
        (BITS, [(2, 6), (1, 65), (4, 64), (0, 9)], 24),
        (F32, [(2, 3), (7, 1), (0, 6), (6, 0)], 20),
        (I32, [(2, 3), (6, 1), (0, 7), (7, 0)], 28),
        (TEXT, [(1, 0), (1, 2), (4, 1), (MAX, 1)], 15),
    ];
    for (kind, shapes, length) in wrong {
        for shape in shapes.into_iter().chain(huge) {
            let message = "tensor 4: length does not fit type and shape";
            assert_eq!(with(kind, shape, length), message, "{kind} {shape:?} {length}");
        }
    }
    let right =
        [(BITS, (3, 64), 24), (BITS, (1, 129), 24), (F32, (5, 1), 20), (I32, (1, 7), 28), (TEXT, (3, 1), 15)];
    for (kind, shape, length) in right {
        let message = with(kind, shape, length);
        assert_eq!(
            message, "tensor `2.weights`: expected Bits of 2 x 6, got nothing",
            "{kind} {shape:?} {length}"
        );
    }
}

#[test]
fn tensor_places() {
    let place = TENSORS + 64 * 5 + 48;
    for offset in [0u64, 0x4ff, 0x501, 0x4c0, 0x540, u64::MAX, u64::MAX - 63] {
        assert_eq!(
            patched(place, &offset.to_le_bytes()),
            "tensor 5: does not start at the next multiple of 64"
        );
    }
    // More than the file has, by type and shape alike: refused before anything is allocated.
    for (kind, rows, cols, row_bytes) in [
        (BITS, MAX, MAX, 1u64 << 29),
        (BITS, MAX, 1, 8),
        (F32, 1, MAX, 4 * u64::from(MAX)),
        (I32, 1 << 30, 1 << 30, 4 << 30),
        (F32, 1, 1000, 4000),
    ] {
        let shape = [kind, rows, cols, 0].map(u32::to_le_bytes);
        let place = [0x500, u64::from(rows) * row_bytes].map(u64::to_le_bytes);
        let record = [shape.as_flattened(), place.as_flattened()].concat();
        assert_eq!(patched(TENSORS + 64 * 5 + 32, &record), "tensor 5: ends after the end of the file");
    }
    for length in [1 << 40, u64::MAX] {
        let message = "tensor 11: ends after the end of the file";
        assert_eq!(patched(TENSORS + 64 * 11 + 56, &u64::to_le_bytes(length)), message);
    }
}

#[test]
fn nothing_hides_between_or_behind_tensors() {
    for (at, tensor) in [(0x3a0, 0), (0x3bf, 0), (0x3c4, 1), (0x47f, 3), (0x67f, 11)] {
        assert_eq!(patched(at, &[1]), format!("tensor {tensor}: the padding before it is not zero"));
    }
    for more in [1, 64, 1000] {
        let longer = [tiny::bytes(), vec![0; more]].concat();
        assert_eq!(refusal(&sealed(longer)), "file: bytes after the last tensor");
    }
}

// === tensors ===

#[test]
fn every_tensor_but_one_is_needed() {
    for index in 0..11 {
        let mut name = String::new();
        let message = forged(|f| name = String::from_utf8(f.tensors.remove(index).name).unwrap());
        assert!(message.starts_with(&format!("tensor `{name}`: expected ")), "{message}");
        assert!(message.ends_with(", got nothing"), "{message}");
    }
}

#[test]
fn tensors_of_another_type_or_shape() {
    for index in 0..12 {
        let was = Forged::from_sound(&tiny::bytes()).tensors.swap_remove(index);
        let name = std::str::from_utf8(&was.name).unwrap();
        let mut others =
            vec![extra(&was.name, I32 + F32 - was.kind.clamp(F32, I32), (was.rows, was.cols), &[])];
        others.extend(
            [(1, 0), (0, 1)].map(|(r, c)| extra(&was.name, was.kind, (was.rows + r, was.cols + c), &[])),
        );
        if was.kind == TEXT {
            others.pop(); // two columns of text cannot be at all
        }
        for mut other in others {
            let row = if other.kind == BITS { 8 * other.cols.div_ceil(64) } else { 4 * other.cols };
            other.data = vec![0; (other.rows * row) as usize];
            let message = forged(|f| f.tensors[index] = other.clone());
            let expected = format!("tensor `{name}`: expected ");
            assert!(message.starts_with(&expected) && !message.ends_with("nothing"), "{other:?}: {message}");
        }
    }
    for (name, expected, got) in [("1.limits", "I32 of 2 x 3", "3 x 2"), ("2.mean", "F32 of 1 x 2", "2 x 1")]
    {
        let message = forged(|f| {
            let turned = f.tensor(name);
            (turned.rows, turned.cols) = (turned.cols, turned.rows);
        });
        assert_eq!(message, format!("tensor `{name}`: expected {expected}, got {} of {got}", &expected[..3]));
    }
    let message = forged(|f| f.tensor("1.limits").kind = F32);
    assert_eq!(message, "tensor `1.limits`: expected I32 of 2 x 3, got F32 of 2 x 3");
}

#[test]
fn padding_bits() {
    for (name, at, row) in
        [("1.weights", 7, 0), ("1.weights", 16, 2), ("1.descending", 0, 0), ("2.weights", 8, 1)]
    {
        let message = forged(|f| f.tensor(name).data[at] |= 0x80);
        assert_eq!(message, format!("row {row} has a one in its padding bits, which must be zero"), "{name}");
    }
}

#[test]
fn text() {
    let broken = [
        b"\x02\0\0\0no\x04\0\0\0yes".as_slice(), // longer than what is left
        b"\x02\0\0\0no\xff\xff\xff\xffyes",
        b"\x02\0\0\0no\x02\0\0\0yes",   // a byte left over
        b"\x02\0\0\0no\x02\0\0\0y\xc3", // half a character
        b"\x09\0\0\0no\x03\0\0\0yes",   // one string where there should be two
        b"\x05\0\0\0no\x03\0\0\0ye",
    ];
    for text in broken {
        let message = forged(|f| f.tensor("labels").data = text.to_vec());
        assert_eq!(
            message, "tensor `labels`: its strings are not UTF-8, or do not fit its length",
            "{text:?}"
        );
    }
}

#[test]
fn numbers_that_are_none() {
    for (name, message) in [
        ("0.thresholds", "layer 0: a threshold is not a finite number"),
        ("2.mean", "layer 2: mean, scale or shift is not a finite number"),
        ("2.scale", "layer 2: mean, scale or shift is not a finite number"),
        ("2.shift", "layer 2: mean, scale or shift is not a finite number"),
        ("standardize.mean", "standardization means, feature 0: expected a finite number, got NaN"),
        ("standardize.scale", "standardization scales, feature 0: expected a finite number, got NaN"),
    ] {
        let nan = f32::NAN.to_le_bytes();
        assert_eq!(forged(|f| f.tensor(name).data[..4].copy_from_slice(&nan)), message);
    }
}

#[test]
fn records_that_do_not_fit_each_other() {
    let cases = [
        (forged(|f| f.inputs = 3), "tensor `standardize.mean`: expected F32 of 1 x 3, got F32 of 1 x 2"),
        (forged(|f| f.inputs = 0), "tensor `standardize.mean`: expected F32 of 1 x 0, got F32 of 1 x 2"),
        (forged(|f| f.classes = 3), "tensor `labels`: expected Text of 3 x 1, got Text of 2 x 1"),
        (forged(|f| f.classes = MAX), "tensor `labels`: expected Text of 4294967295 x 1, got Text of 2 x 1"),
        (forged(|f| f.layers[1][3] = 1), "tensor `1.limits`: expected I32 of 1 x 3, got I32 of 2 x 3"),
        (forged(|f| f.layers[0] = [1, 3, 3, 1]), "layer 0: inputs: expected 2, got 3"),
        (forged(|f| f.layers.truncate(2)), "layer 2: the last layer must give scores"),
    ];
    for (message, expected) in cases {
        assert_eq!(message, expected);
    }
}
