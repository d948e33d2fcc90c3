//! What holds for any bytes that are to be predicted from; the fuzzer checks the same.

use std::io::Read;

use onebit_data::{DataError, FeatureRows, ImageShape, NpyRows, read_image};

/// Hands out one byte at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1);
        self.0.read(&mut buffer[..most])
    }
}

type Rows = Vec<Result<Vec<f32>, String>>;

/// The rows, or messages in their places.
fn collect<I>(rows: Result<I, DataError>) -> Rows
where
    I: Iterator<Item = Result<Vec<f32>, DataError>>,
{
    match rows {
        Ok(rows) => rows.map(|row| row.map_err(|error| error.to_string())).collect(),
        Err(error) => vec![Err(error.to_string())],
    }
}

fn check(rows: &Rows, features: usize) {
    for row in rows {
        match row {
            Ok(row) => assert!(row.len() == features && row.iter().all(|value| value.is_finite())),
            Err(message) => assert!(!message.is_empty() && !message.contains('\n'), "{message:?}"),
        }
    }
}

/// A table.
pub(crate) fn csv(data: &[u8]) {
    let wanted = ["width", "height"].map(String::from);
    let rows = collect(FeatureRows::new(data, "fuzz", &wanted));
    check(&rows, 2);
    assert_eq!(collect(FeatureRows::new(Slow(data), "fuzz", &wanted)), rows);
}

/// An array; the first byte says how many numbers a row should have.
pub(crate) fn npy(data: &[u8]) {
    let (features, data) = data.split_first().map_or((1, data), |(first, rest)| (usize::from(*first), rest));
    let rows = collect(NpyRows::new(data, "fuzz", features));
    check(&rows, features);
    assert_eq!(collect(NpyRows::new(Slow(data), "fuzz", features)), rows);
}

/// An image; the first byte says of what width, height and channels it should be.
pub(crate) fn image(data: &[u8]) {
    let (first, data) = data.split_first().map_or((0, data), |(first, rest)| (usize::from(*first), rest));
    let shape = ImageShape { height: first % 4 + 1, width: first / 4 % 4 + 1, channels: 1 + first / 16 % 3 };
    let features = shape.height * shape.width * shape.channels;
    let of_shape = collect(Ok([read_image(data, "fuzz", features, Some(shape))].into_iter()));
    let of_any_shape = collect(Ok([read_image(data, "fuzz", features, None)].into_iter()));
    for row in [&of_shape, &of_any_shape] {
        check(row, features);
    }
    assert!(of_shape[0].is_err() || of_shape == of_any_shape, "a shape only refuses more");
}
