//! The features of the CPU that the instruction sets of x86-64 need: the one list of them.
//!
//! `with_avx2! { (name) .. }` expands to `name! { ["avx2" "popcnt" ..] .. }`, where the macro `name` asks the
//! CPU for the features, or is [`enabled`], which compiles a function with them.

/// Hands the features of AVX2 to a macro: every CPU with AVX2 has them all.
macro_rules! with_avx2 {
    (($($name:tt)+) $($rest:tt)*) => {
        $($name)+! { ["avx2" "popcnt" "bmi1" "bmi2" "lzcnt"] $($rest)* }
    };
}

/// Hands the features of AVX-512 to a macro: AVX2's, and those that Ice Lake and Zen 4 add.
macro_rules! with_avx512 {
    (($($name:tt)+) $($rest:tt)*) => {
        $($name)+! {
            [
                "avx2" "popcnt" "bmi1" "bmi2" "lzcnt"
                "avx512f" "avx512bw" "avx512vl" "avx512dq" "avx512vbmi" "avx512bitalg" "avx512vpopcntdq"
            ]
            $($rest)*
        }
    };
}

/// Compiles a function with the features listed before it.
macro_rules! enabled {
    ([$($feature:tt)+] $($function:tt)+) => {
        $(#[target_feature(enable = $feature)])+
        $($function)+
    };
}

pub(crate) use {enabled, with_avx2, with_avx512};
