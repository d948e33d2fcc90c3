//! Element-wise loops that the compiler vectorizes for the instruction set at hand.
//!
//! `vectorized!` makes of a function one that is compiled for each instruction set; the caller passes an
//! [`Isa`](onebit_bits::Isa) as first argument. What the body calls is `#[inline(always)]` and loops with `for`. It
//! names its lifetime, for it becomes a [`Kernel`](onebit_bits::Kernel). Results are the same on all of them.

/// Compiles a function for every instruction set.
macro_rules! vectorized {
    (
        $(#[$meta:meta])*
        $vis:vis fn $name:ident<$life:lifetime>($($arg:ident: $type:ty),* $(,)?) $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name<$life>(isa: onebit_bits::Isa, $($arg: $type),*) {
            struct Arguments<$life> { $($arg: $type),* }

            impl onebit_bits::Kernel for Arguments<'_> {
                type Output = ();

                #[inline(always)]
                fn run(self) {
                    let Self { $($arg),* } = self;
                    $body
                }
            }

            isa.run(Arguments { $($arg),* })
        }
    };
}
pub(crate) use vectorized;
