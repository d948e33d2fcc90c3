//! Every index once, whatever sleeps, panics, nests or is dropped.

use super::{super::meeting::Meeting, *};
use alloc::{string::String, vec};
use std::collections::HashSet;

fn counts(workers: &Workers, jobs: usize) -> Vec<usize> {
    let counts: Vec<_> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
    workers.run(jobs, &|index| {
        counts[index].fetch_add(1, Ordering::Relaxed);
    });
    counts.into_iter().map(AtomicUsize::into_inner).collect()
}

#[test]
fn every_index_runs_once_awake_or_asleep() {
    for threads in [1, 2, 3, 17] {
        let workers = Workers::new(threads).unwrap();
        let rounds = if cfg!(miri) { 10 } else { 3000 };
        for round in 0..rounds {
            assert_eq!(counts(&workers, round % 7), vec![1; round % 7]);
            if round % (rounds / 5) == 0 {
                thread::sleep(2 * (SPIN + YIELD));
            }
        }
        assert_eq!(counts(&workers, 10_000), vec![1; 10_000]);
    }
}

#[test]
fn all_threads_take_part() {
    for threads in [2, 3, 17] {
        let workers = Workers::new(threads).unwrap();
        for _ in 0..20 {
            let (all, seen) = (Meeting::of(threads), Mutex::new(HashSet::new()));
            workers.run(threads, &|_| {
                lock(&seen).insert(thread::current().id());
                all.wait(); // each index has a thread of its own
            });
            assert!(lock(&seen).len() == threads && lock(&seen).contains(&thread::current().id()));
        }
    }
}

#[test]
fn a_panic_reaches_the_caller_and_leaves_the_workers_usable() {
    let workers = Workers::new(3).unwrap();
    for culprit in (0..20).step_by(if cfg!(miri) { 5 } else { 1 }) {
        // on the caller and on workers, for each index begins only after another thread has come
        let pair = Meeting::of(2);
        let run = || {
            workers.run(20, &|index| {
                if index < 2 {
                    pair.wait();
                }
                assert!(index != culprit, "job {index}");
            });
        };
        let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>().unwrap(), &std::format!("job {culprit}"));
        assert_eq!(counts(&workers, 9), [1; 9]);
    }
}

#[test]
fn runs_within_and_beside_a_run_go_on_alone() {
    let workers = Workers::new(2).unwrap();
    let seen = AtomicUsize::new(0);
    let count = |_| {
        seen.fetch_add(1, Ordering::Relaxed);
    };
    workers.run(5, &|_| workers.run(5, &|_| workers.run(5, &count)));
    assert_eq!(seen.load(Ordering::Relaxed), 125);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| workers.run(5, &count)));
        }
    });
    assert_eq!(seen.load(Ordering::Relaxed), 4125);
}

#[test]
fn a_caller_sleeps_until_a_long_job_is_done() {
    let workers = Workers::new(2).unwrap();
    let (both, here) = (Meeting::of(2), thread::current().id());
    let done = AtomicBool::new(false);
    workers.run(2, &|_| {
        both.wait();
        if thread::current().id() != here {
            thread::sleep(20 * (SPIN + YIELD));
            done.store(true, Ordering::Relaxed);
        }
    });
    assert!(done.into_inner());
}

#[test]
fn dropping_ends_the_threads() {
    for pause in [0, 1000] {
        let workers = Workers::new(4).unwrap();
        assert_eq!(counts(&workers, 3), [1; 3]);
        thread::sleep(Duration::from_micros(pause));
        let shared = Arc::downgrade(&workers.shared);
        drop(workers);
        assert!(shared.upgrade().is_none());
    }
}
