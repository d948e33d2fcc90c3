//! Every case of `onebit bench kernels` under criterion: `cargo bench -p onebit-bits --features bench`.
//!
//! A group is a kernel at one size; in it `onebit` is the product, `prepare` packing and rounding, `float`
//! the same product in f32. `ONEBIT_THREADS` and `ONEBIT_ISA` choose where (default: one thread, the best).

use std::{env, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onebit_bits::{
    Engine, Isa,
    bench::{Run, cases},
};

fn kernels(criterion: &mut Criterion) {
    let engine = engine();
    for case in cases(4096) {
        let size = case.size;
        let update = case.update.map(|update| format!("_{update}")).unwrap_or_default();
        let name = format!("{}{update}/{}x{}x{}", case.name, size.m, size.n, size.k);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(case.operations() as u64));
        let mut kernel = case.kernel(&engine).expect("the case's operands fit");
        group.bench_function("onebit", |b| b.iter(|| kernel.run()));
        group.bench_function("prepare", |b| b.iter(|| kernel.prepare()));
        let mut float = case.float(&engine);
        group.bench_function("float", |b| b.iter(|| float.run()));
    }
}

fn engine() -> Engine {
    let threads = env::var("ONEBIT_THREADS").map_or(1, |n| n.parse().expect("ONEBIT_THREADS is a number"));
    let engine = Engine::new(threads).expect("the threads start");
    match env::var("ONEBIT_ISA") {
        Ok(name) => engine.with_isa(Isa::named(&name).expect("ONEBIT_ISA is one of this machine's")),
        Err(_) => engine,
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = kernels
}
criterion_main!(benches);
