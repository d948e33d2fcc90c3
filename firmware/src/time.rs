//! Counts instructions under qemu: with `-icount shift=0`, each takes a nanosecond of emulated time, and the
//! clock of the board, at 25 MHz, ticks once in 40 of them.

use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};

const INSTRUCTIONS_PER_TICK: u32 = 40;
/// The clock counts down from this value and starts over.
const FIRST: u32 = 0xff_ffff;

/// The clock of the board.
pub struct Clock(SYST);

impl Clock {
    /// Starts the clock. Call it once.
    pub fn start() -> Self {
        let mut clock = Peripherals::take().expect("the clock is taken once").SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(FIRST);
        clock.clear_current();
        clock.enable_counter();
        Self(clock)
    }

    /// The current tick.
    pub fn now(&mut self) -> u32 {
        SYST::get_current()
    }

    /// Instructions since the tick `then`, up to 671 million.
    pub fn since(&mut self, then: u32) -> u32 {
        (then.wrapping_sub(self.now()) & FIRST) * INSTRUCTIONS_PER_TICK
    }
}
