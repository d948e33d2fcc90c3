//! Rust values as C constants.

use alloc::{
    format,
    string::{String, ToString},
};

/// Name of the macro that [`INFINITE`] defines.
const INFINITY: &str = "INFINITE";

/// Defines infinity, which has no literal in C, and no name without `math.h`.
pub(super) const INFINITE: &str = "\
#if defined(__GNUC__)
#define INFINITE __builtin_inff()
#else
#define INFINITE ((float)(1e+300 * 1e+300))
#endif
";

/// A float literal with exactly the value of `x`, which is not NaN. It is hexadecimal, because a compiler may
/// round decimal digits.
pub(super) fn real(x: f32) -> String {
    let sign = if x.is_sign_negative() { "-" } else { "" };
    let (exponent, fraction) = ((x.to_bits() >> 23) & 0xff, x.to_bits() & 0x7f_ffff);
    if x.is_infinite() {
        return format!("{sign}{INFINITY}");
    }
    if x == 0.0 {
        return format!("{sign}0.0f");
    }
    // subnormal numbers start with 0
    let (whole, exponent) = if exponent == 0 { (0, -126) } else { (1, exponent as i32 - 127) };
    let digits = format!("{:06x}", fraction << 1);
    let point = match digits.trim_end_matches('0') {
        "" => String::new(),
        digits => format!(".{digits}"),
    };
    format!("{sign}0x{whole}{point}p{exponent:+}f")
}

/// An `int32_t` literal. The minimum has none: `-2147483648` is a minus before a number that does not fit.
pub(super) fn integer(x: i32) -> String {
    if x == i32::MIN { "(-2147483647 - 1)".into() } else { x.to_string() }
}

/// A string literal. Bytes that are not printable ASCII become octal escapes, which end after three digits.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in text.bytes() {
        match byte {
            // two question marks would start a trigraph
            b'"' | b'\\' | b'?' => quoted.extend(['\\', byte as char]),
            b' '..=b'~' => quoted.push(byte as char),
            _ => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted + "\""
}
