//! What it costs to share work: `cargo run --release -p onebit-bits --example pool [threads]`.
//!
//! One job a thread, of 0, 5, 20 and 200 us, after the last call at once, after 30 us of work elsewhere, and
//! after 1 ms of sleep. The 10th percentile and the median, in us, of the time from the call to its return;
//! without any cost it would be that of a job. Beside it rayon's `install` and `broadcast`, and one thread
//! doing it all. Percentiles because the machine has other things to do; `chrt -f 1` in front keeps them
//! away.

use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use onebit_bits::Engine;
use rayon::prelude::*;

const JOBS: [u64; 4] = [0, 5, 20, 200];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(2), |threads| threads.parse())?;
    let per_us = (0..100).map(|_| 20_000.0 / time(&|| work(20_000))).fold(0.0, f64::max);
    let engine = Engine::new(threads)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;

    println!("{threads} jobs on {threads} threads; 10th percentile, median, in us\n");
    println!(
        "| pause | job | one thread | `Engine` | rayon install | rayon broadcast |\n|---|---|---|---|---|---|"
    );
    for (name, pause) in [("none", Pause::None), ("30 us busy", Pause::Busy), ("1 ms asleep", Pause::Asleep)]
    {
        for us in JOBS {
            let job = |_| work((us as f64 * per_us) as u64);
            let row = [
                percentiles(pause, &|| (0..threads).for_each(job)),
                percentiles(pause, &|| engine.each_index(threads, job)),
                percentiles(pause, &|| {
                    pool.install(|| (0..threads).into_par_iter().with_max_len(1).for_each(job));
                }),
                percentiles(pause, &|| drop(pool.broadcast(|context| job(context.index())))),
            ];
            println!("| {name} | {us} us | {} |", row.join(" | "));
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Pause {
    None,
    Busy,
    Asleep,
}

fn percentiles(pause: Pause, run: &dyn Fn()) -> String {
    let mut times: Vec<f64> = (0..1000)
        .map(|_| {
            match pause {
                Pause::None => {}
                Pause::Busy => {
                    let begin = Instant::now();
                    while begin.elapsed() < Duration::from_micros(30) {}
                }
                Pause::Asleep => thread::sleep(Duration::from_millis(1)),
            }
            time(run)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    format!("{:.1}, {:.1}", times[times.len() / 10], times[times.len() / 2])
}

/// In us.
fn time(run: &dyn Fn()) -> f64 {
    let begin = Instant::now();
    run();
    begin.elapsed().as_secs_f64() * 1e6
}

fn work(steps: u64) {
    let mut x = 1u64;
    for step in 0..steps {
        x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step));
    }
}
