//! `onebit bench kernels`: every kernel next to a float product of the same sizes.

use onebit_bits::{
    Engine,
    bench::{Case, Ceiling, Run, cases},
};
use serde_json::{Value, json};

use super::timing::{median, seconds};
use crate::{
    args::BenchKernelsArgs,
    failure::{Failure, Result},
    output,
    table::Table,
};

/// Sizes and repetitions.
struct Effort {
    /// Inputs and outputs of the measured layer.
    width: usize,
    /// Number of turns of kernel, float product and ceiling.
    rounds: usize,
    /// Minimum seconds of a turn: short calls are repeated.
    turn: f64,
}

const FULL: Effort = Effort { width: 4096, rounds: 15, turn: 0.01 };
const QUICK: Effort = Effort { width: 256, rounds: 3, turn: 0.0 };

impl Effort {
    /// Number of calls in a turn.
    fn calls(&self, run: &mut dyn Run) -> Result<usize> {
        run.run()?; // warm-up: the first call allocates memory and wakes the workers
        let once = seconds_a_call(run, 1)?;
        Ok((self.turn / once).ceil().clamp(1.0, 1e4) as usize)
    }
}

fn seconds_a_call(run: &mut dyn Run, calls: usize) -> Result<f64> {
    Ok(seconds(|| (0..calls).try_for_each(|_| run.run()))? / calls as f64)
}

pub(super) fn run(args: &BenchKernelsArgs) -> Result<()> {
    let engine = args.engine.engine()?;
    let effort = if args.quick { QUICK } else { FULL };
    let mut all = cases(effort.width);
    if let Some(name) = &args.kernel {
        let mut names: Vec<_> = all.iter().map(|case| case.name).collect();
        names.dedup();
        all.retain(|case| case.name == name);
        if all.is_empty() {
            let known = names.join(", ");
            return Err(Failure::flag(format!("--kernel: expected one of {known}, got `{name}`")));
        }
    }
    let mut table = Table::new(HEADER);
    for case in &all {
        let measured = Measurement::new(case, &engine, &effort)?;
        if args.json {
            output::json(&measured.json(case, &engine))?;
        } else {
            table.row(measured.row(case));
        }
    }
    if args.json {
        return Ok(());
    }
    output::line(format!("{} x {} threads\n", engine.isa().name(), engine.threads()))?;
    output::line(table.render())
}

const HEADER: [&str; 9] =
    ["kernel", "m", "n", "k", "Gop/s", "float GEMM", "ratio", "of ceiling", "prepare ms"];

/// Medians over all turns.
struct Measurement {
    /// Operations per second / 10^12.
    tops: f64,
    sgemm_tops: f64,
    /// The same for a loop of the kernel's instructions on registers only.
    ceiling_tops: Option<f64>,
    prepare_seconds: f64,
}

impl Measurement {
    fn new(case: &Case, engine: &Engine, effort: &Effort) -> Result<Self> {
        let mut kernel = case.kernel(engine)?;
        let mut float = case.float(engine);
        let mut ceiling = case.mix.map(|mix| Ceiling::new(engine, mix));
        let kernel_calls = effort.calls(&mut *kernel)?;
        let float_calls = effort.calls(&mut float)?;
        let ceiling_calls = match &mut ceiling {
            Some(ceiling) => effort.calls(ceiling)?,
            None => 0,
        };
        let mut times = [(); 4].map(|()| Vec::with_capacity(effort.rounds));
        for _ in 0..effort.rounds {
            times[0].push(seconds_a_call(&mut *kernel, kernel_calls)?);
            times[1].push(seconds_a_call(&mut float, float_calls)?);
            if let Some(ceiling) = &mut ceiling {
                times[2].push(seconds_a_call(ceiling, ceiling_calls)?);
            }
            times[3].push(seconds(|| kernel.prepare())?);
        }
        let [kernel, float, probe, prepare] = times.map(median);
        let tops = |operations: f64, seconds: f64| operations / seconds / 1e12;
        Ok(Self {
            tops: tops(case.operations(), kernel),
            sgemm_tops: tops(case.operations(), float),
            ceiling_tops: ceiling.map(|ceiling| tops(ceiling.operations(), probe)),
            prepare_seconds: prepare,
        })
    }

    fn ratio(&self) -> f64 {
        self.tops / self.sgemm_tops
    }

    fn share_of_ceiling(&self) -> Option<f64> {
        self.ceiling_tops.map(|ceiling| self.tops / ceiling)
    }

    fn json(&self, case: &Case, engine: &Engine) -> Value {
        json!({
            "kernel": case.name,
            "update": case.update,
            "isa": engine.isa().name(),
            "m": case.size.m,
            "n": case.size.n,
            "k": case.size.k,
            "threads": engine.threads(),
            "tops": self.tops,
            "sgemm_tops": self.sgemm_tops,
            "ratio": self.ratio(),
            "ceiling_tops": self.ceiling_tops,
            "share_of_ceiling": self.share_of_ceiling(),
            "prepare_seconds": self.prepare_seconds,
        })
    }

    fn row(&self, case: &Case) -> [String; HEADER.len()] {
        let name = match case.update {
            Some(update) => format!("{} ({update})", case.name),
            None => case.name.into(),
        };
        let gops = |tops: f64| format!("{:.1}", 1e3 * tops);
        [
            name,
            case.size.m.to_string(),
            case.size.n.to_string(),
            case.size.k.to_string(),
            gops(self.tops),
            gops(self.sgemm_tops),
            format!("{:.2}", self.ratio()),
            self.share_of_ceiling().map_or("-".into(), |share| format!("{:.0} %", 100.0 * share)),
            format!("{:.3}", 1e3 * self.prepare_seconds),
        ]
    }
}
