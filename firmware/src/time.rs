//! How many instructions something takes, as qemu counts them: each is a nanosecond of its time (`-icount shift=0`), and
//! the board's clock of 25 MHz ticks once in 40 of them.

use cortex_m::{
    Peripherals,
    peripheral::{SYST, syst::SystClkSource},
};

const INSTRUCTIONS_PER_TICK: u32 = 40;
/// The clock counts down from here, over and over.
const FIRST: u32 = 0xff_ffff;

pub struct Clock(SYST);

impl Clock {
    /// To be called once.
    pub fn start() -> Self {
        let mut clock = Peripherals::take().expect("there is one clock").SYST;
        clock.set_clock_source(SystClkSource::Core);
        clock.set_reload(FIRST);
        clock.clear_current();
        clock.enable_counter();
        Self(clock)
    }

    pub fn now(&mut self) -> u32 {
        SYST::get_current()
    }

    /// Instructions since then, if they are less than 671 million.
    pub fn since(&mut self, then: u32) -> u32 {
        (then.wrapping_sub(self.now()) & FIRST) * INSTRUCTIONS_PER_TICK
    }
}
