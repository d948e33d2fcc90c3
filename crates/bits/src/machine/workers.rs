//! Worker threads for jobs of a few microseconds.
//!
//! `run(jobs, job)` calls `job(0)`, .., `job(jobs - 1)`, each once, on the caller and on any free worker:
//! each takes the next index until none is left. Idle workers spin for a moment, then yield, then sleep. The
//! caller waits only for the workers that take part, never for one that sleeps meanwhile. Nothing is
//! allocated.
//!
//! One word, `state`, decides who may read the job: a worker enters only while the run is open, and the
//! caller returns only after it has closed the run and the last worker inside has left.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{
    any::Any,
    cell::UnsafeCell,
    hint, mem,
    sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Instant,
};

type Job<'a> = dyn Fn(usize) + Sync + 'a;

/// The lowest bits of `state`: the number of workers inside the run.
const INSIDE: u32 = 0xffff;
/// Workers may enter.
const OPEN: u32 = 1 << 16;
/// The caller sleeps until the last worker has left.
const AWAITED: u32 = 1 << 17;
/// No run will follow.
const QUIT: u32 = 1 << 18;
/// The other bits count the runs, so that a worker enters each run once. They wrap: at worst, a worker that
/// slept through 8191 runs misses one more.
const RUN: u32 = 1 << 19;
const COUNT: u32 = !(RUN - 1);

/// How long to spin. On a busy machine, spinning may keep another thread, even of the same run, from its
/// core.
const SPIN: Duration = Duration::from_micros(20);
/// How long to yield before sleeping: several wake-up latencies, and longer than the gap between two kernels.
const YIELD: Duration = Duration::from_micros(200);

/// Threads that wait for work. Dropping waits until they have ended.
#[derive(Debug)]
pub(crate) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Line<AtomicU32>,
    /// The next index that no thread has taken.
    next: Line<AtomicUsize>,
    /// A run is under way.
    busy: Line<AtomicBool>,
    /// The job and how many times it runs; written only while no worker is inside and none may enter.
    job: UnsafeCell<(*const Job<'static>, usize)>,
    /// The first panic of the run.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    asleep: Mutex<()>,
    left: Condvar,
    /// Whether every thread has a core, so that spinning keeps no other thread from working.
    spin: bool,
}

/// A value alone on its cache lines, which are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line<T>(T);

// SAFETY: all fields but `job` are `Send` and `Sync`. The job behind the pointer is `Sync`, and `state`
// orders every access to the cell: see `run` and `work`.
unsafe impl Send for Shared {}
// SAFETY: `state` orders every access to `job`, the only field that is not `Sync` by itself.
unsafe impl Sync for Shared {}

impl Workers {
    /// Workers for `threads` threads in all: the caller of `run` is one of them.
    pub(crate) fn new(threads: usize) -> io::Result<Self> {
        let nothing: &Job<'static> = &|_| {};
        let shared = Arc::new(Shared {
            state: Line::default(),
            next: Line::default(),
            busy: Line::default(),
            job: UnsafeCell::new((nothing, 0)),
            panic: Mutex::default(),
            asleep: Mutex::default(),
            left: Condvar::new(),
            spin: thread::available_parallelism().is_ok_and(|cores| cores.get() >= threads),
        });
        // threads join it one by one, so that those already begun end if one cannot be
        let mut workers = Self { shared, threads: Vec::new() };
        for _ in 1..threads {
            let shared = Arc::clone(&workers.shared);
            let worker = thread::Builder::new().name("onebit-worker".into());
            workers.threads.push(worker.spawn(move || shared.work())?);
        }
        Ok(workers)
    }

    /// The number of workers and the caller.
    pub(crate) fn threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Calls `job(index)` for every index below `jobs`, in any order, on any of the threads.
    ///
    /// During another run, around this call or on another thread, all jobs run on the caller.
    ///
    /// # Panics
    /// Panics with the first panic of a job, after all threads have left; indices that no thread has begun
    /// never run.
    pub(crate) fn run(&self, jobs: usize, job: &Job<'_>) {
        let shared = &*self.shared;
        if jobs < 2 || shared.busy.0.swap(true, Ordering::Acquire) {
            return (0..jobs).for_each(job);
        }
        // SAFETY: only the lifetime changes. No thread calls the job after this function has returned, and it
        // does not return, not even by a panic, before the run is closed and empty.
        let job = unsafe { mem::transmute::<*const Job<'_>, *const Job<'static>>(job) };
        // SAFETY: `busy` keeps other callers out, and the last run ended closed and empty, so no worker is
        // inside or can enter: no other thread accesses the cell.
        unsafe { *shared.job.get() = (job, jobs) };
        shared.next.0.store(0, Ordering::Relaxed);
        let count = (shared.state.0.load(Ordering::Relaxed) & COUNT).wrapping_add(RUN);
        shared.state.0.store(count | OPEN, Ordering::Release);
        self.threads.iter().take(jobs - 1).for_each(|worker| worker.thread().unpark());

        shared.take_part();
        shared.state.0.fetch_and(!OPEN, Ordering::Relaxed);
        shared.until_empty();
        let panic = lock(&shared.panic).take();
        shared.busy.0.store(false, Ordering::Release);
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.state.0.fetch_or(QUIT, Ordering::Relaxed);
        for worker in self.threads.drain(..) {
            worker.thread().unpark();
            // a worker does not panic: it catches what its jobs do
            let _ = worker.join();
        }
    }
}

impl Shared {
    /// The life of a worker.
    fn work(&self) {
        let mut last = 0;
        let news = |last| {
            let state = self.state.0.load(Ordering::Relaxed);
            (state & QUIT != 0 || state & COUNT != last).then_some(state)
        };
        loop {
            let state = self.patiently(|| news(last)).unwrap_or_else(|| {
                loop {
                    match news(last) {
                        Some(state) => break state,
                        // every change of the state is followed by an unpark, which is remembered if it comes
                        // first
                        None => thread::park(),
                    }
                }
            });
            if state & QUIT != 0 {
                return;
            }
            last = state & COUNT;
            // acquires what the caller released when it opened the run
            let enter = |state| (state & OPEN != 0 && state & COUNT == last).then_some(state + 1);
            if self.state.0.fetch_update(Ordering::Acquire, Ordering::Relaxed, enter).is_err() {
                continue; // too late: the other threads have finished the run
            }
            self.take_part();
            // releases what the jobs wrote to the caller in `until_empty`
            let before = self.state.0.fetch_sub(1, Ordering::Release);
            if before & AWAITED != 0 && before & INSIDE == 1 {
                drop(lock(&self.asleep));
                self.left.notify_one();
            }
        }
    }

    /// Runs indices until none is left. Only the caller and workers inside the run may call it.
    fn take_part(&self) {
        // SAFETY: the cell is not written, and the job is alive, until everyone inside the run has left.
        let (job, jobs) = unsafe { *self.job.get() };
        // SAFETY: the job is alive until every thread has left the run, and this one is inside.
        let job = unsafe { &*job };
        let indices = || loop {
            match self.next.0.fetch_add(1, Ordering::Relaxed) {
                index if index < jobs => job(index),
                _ => break,
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(indices)) {
            self.next.0.store(jobs, Ordering::Relaxed);
            match &mut *lock(&self.panic) {
                first @ None => *first = Some(panic),
                // dropping it might panic in turn
                Some(_) => mem::forget(panic),
            }
        }
    }

    /// Waits until no worker is inside the closed run.
    fn until_empty(&self) {
        let empty = || self.state.0.load(Ordering::Acquire) & INSIDE == 0;
        if self.patiently(|| empty().then_some(())).is_none() {
            let mut asleep = lock(&self.asleep);
            self.state.0.fetch_or(AWAITED, Ordering::Relaxed);
            while !empty() {
                asleep = self.left.wait(asleep).unwrap_or_else(PoisonError::into_inner);
            }
            self.state.0.fetch_and(!AWAITED, Ordering::Relaxed);
        }
    }

    /// Polls: spins, then yields, then gives up.
    fn patiently<T>(&self, ready: impl Fn() -> Option<T>) -> Option<T> {
        let begin = Instant::now();
        let mut waited = Duration::ZERO;
        while waited < SPIN + YIELD {
            let spin = self.spin && waited < SPIN;
            for _ in 0..if spin { 32 } else { 1 } {
                if let Some(ready) = ready() {
                    return Some(ready);
                }
                if spin { hint::spin_loop() } else { thread::yield_now() }
            }
            waited = begin.elapsed();
        }
        None
    }
}

/// Locks, even after a panic: no panic leaves the data of these mutexes half written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
