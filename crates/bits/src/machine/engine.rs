//! Where kernels run: an instruction set, and workers that share the output.
//!
//! Work is split into disjoint parts of the output and never inside a sum, so no result depends on the
//! workers.

#[cfg(feature = "std")]
use super::workers::Workers;
use super::{
    isa::Isa,
    slices::{SharedSlice, Slices},
};
use crate::error::{Error, Result};

/// An instruction set and a number of threads: the caller's and workers. Cloning shares the workers.
///
/// Workers are made for jobs of microseconds: an idle worker spins for a moment before it sleeps. They serve
/// one call at a time. A call from within a job, or during a call of another thread, runs on its own thread
/// alone.
#[derive(Clone, Debug)]
pub struct Engine {
    isa: Isa,
    #[cfg(feature = "std")]
    workers: Option<alloc::sync::Arc<Workers>>,
}

/// Operations below which another worker costs more than it saves: a few microseconds of work.
const WORK_PER_JOB: usize = 1 << 14;

/// Most rows of a tile: the pages of its output stay in the TLB, and its left operand in the L2 cache.
const TALLEST: usize = 128;

/// Most threads of an engine. A larger number is a mistake; the operating system should not be asked for it.
#[cfg(feature = "std")]
const MOST_THREADS: usize = 1024;

impl Engine {
    /// An engine with the best instruction set of this machine and `threads` threads, of which one is the
    /// caller's.
    ///
    /// # Errors
    /// [`Error::Threads`] for 0, for more than 1024, for more than 1 without the feature `std`, and when the
    /// operating system refuses.
    pub fn new(threads: usize) -> Result<Self> {
        let refuse = |reason| Err(Error::Threads { got: threads, reason });
        match threads {
            0 => refuse("at least 1 is needed"),
            1 => Ok(Self::single()),
            #[cfg(not(feature = "std"))]
            _ => refuse("only 1 is possible without the feature `std`"),
            #[cfg(feature = "std")]
            2..=MOST_THREADS => match Workers::new(threads) {
                Ok(workers) => Ok(Self { workers: Some(workers.into()), ..Self::single() }),
                Err(_) => refuse("the operating system refused"),
            },
            #[cfg(feature = "std")]
            _ => refuse("at most 1024 are possible"),
        }
    }

    /// An engine with the best instruction set of this machine, on the caller's thread alone.
    #[must_use]
    pub fn single() -> Self {
        Self {
            isa: Isa::best(),
            #[cfg(feature = "std")]
            workers: None,
        }
    }

    /// The same workers with another instruction set.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        self.isa = isa;
        self
    }

    /// The instruction set.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The number of threads, including the caller's.
    #[must_use]
    pub fn threads(&self) -> usize {
        #[cfg(feature = "std")]
        if let Some(workers) = &self.workers {
            return workers.threads();
        }
        1
    }

    /// Calls `job(index)` once for every index below `jobs`, in any order, on any thread. Allocates nothing.
    ///
    /// A job should take a microsecond or more; handing out the first costs about one.
    ///
    /// # Panics
    /// Panics if a job panics, after all threads have stopped; the engine stays usable.
    pub fn each_index(&self, jobs: usize, job: impl Fn(usize) + Sync) {
        #[cfg(feature = "std")]
        if let Some(workers) = &self.workers {
            return workers.run(jobs, &job);
        }
        (0..jobs).for_each(job);
    }

    /// Divides a slice, or a tuple of slices of one length, into chunks of `chunk` elements, of which the
    /// last may be shorter, and calls `kernel(index of the first element, chunks)` in any order, on any
    /// thread.
    ///
    /// Chunks depend only on `chunk` (0 counts as 1), so a sum within a chunk does not depend on the engine.
    /// A few thousand elements are a good size: a chunk should take a microsecond or more.
    ///
    /// ```
    /// # let engine = onebit_bits::Engine::single();
    /// let (mut w, g) = (vec![1.0f32; 10_000], vec![0.5f32; 10_000]);
    /// engine.chunks((&mut w[..], &g[..]), 4096, |_, (w, g)| {
    ///     w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.1 * g);
    /// })?;
    /// assert!(w.iter().all(|&w| w == 1.0 - 0.1 * 0.5));
    /// # Ok::<(), onebit_bits::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] if the slices differ in length.
    pub fn chunks<S: Slices>(&self, slices: S, chunk: usize, kernel: impl Fn(usize, S) + Sync) -> Result<()> {
        let (len, chunk) = (slices.common_len()?, chunk.max(1));
        let shared = slices.share();
        self.each_index(len.div_ceil(chunk), |index| {
            let first = index * chunk;
            // SAFETY: within the slices, and every index comes once, so the ranges are disjoint.
            kernel(first, unsafe { S::part(&shared, first..len.min(first + chunk)) });
        });
        Ok(())
    }

    /// Splits `out`, (rows, cols), into stretches of whole rows and calls `kernel(first row, the rows)` for
    /// each. `work` is the total number of operations, roughly.
    pub(crate) fn rows<T: Send>(
        &self,
        out: &mut [T],
        cols: usize,
        work: usize,
        kernel: impl Fn(usize, &mut [T]) + Sync,
    ) {
        if out.is_empty() {
            return;
        }
        let part = (out.len() / cols).div_ceil(self.jobs(work));
        // a single slice has no other length to differ from
        let _ = self.chunks(out, part * cols, |first, rows| kernel(first / cols, rows));
    }

    /// Splits `out`, (rows, cols), into tiles of at most [`TALLEST`] rows: by columns, in multiples of 64, if
    /// it has enough of them, because that also splits the right operand; otherwise by rows.
    pub(crate) fn tiles<T: Send>(
        &self,
        out: &mut [T],
        cols: usize,
        work: usize,
        kernel: impl Fn(&mut Tile<T>) + Sync,
    ) {
        if out.is_empty() {
            return;
        }
        let (jobs, rows) = (self.jobs(work), out.len() / cols);
        let (height, width) = if cols >= 64 * jobs {
            (TALLEST, cols.div_ceil(jobs).next_multiple_of(64))
        } else {
            (TALLEST.min(rows.div_ceil(jobs)), cols)
        };
        let across = cols.div_ceil(width);
        let out = SharedSlice::new(out);
        self.each_index(rows.div_ceil(height) * across, |index| {
            let (row, col) = (index / across * height, index % across * width);
            let size = (height.min(rows - row), width.min(cols - col));
            // every index comes once, so the tiles are disjoint
            kernel(&mut Tile { row, col, size, first: row * cols + col, stride: cols, out: &out });
        });
    }

    fn jobs(&self, work: usize) -> usize {
        self.threads().min(work / WORK_PER_JOB).max(1)
    }
}

/// A rectangle of an output matrix. It is exclusive: no other tile overlaps it, and nobody uses the matrix
/// meanwhile.
pub(crate) struct Tile<'a, T> {
    pub(crate) row: usize,
    pub(crate) col: usize,
    /// Rows and columns of the tile, which lies within the matrix.
    size: (usize, usize),
    /// Index of the tile's first element in the matrix.
    first: usize,
    /// Columns of the matrix.
    stride: usize,
    out: &'a SharedSlice<'a, T>,
}

impl<T> Tile<'_, T> {
    pub(crate) fn rows(&self) -> usize {
        self.size.0
    }

    pub(crate) fn cols(&self) -> usize {
        self.size.1
    }

    /// Row r of the tile: `row + r` of the matrix, columns `col..col + cols`.
    #[inline(always)]
    pub(crate) fn row(&mut self, r: usize) -> &mut [T] {
        let [row] = self.some_rows(r);
        row
    }

    /// Rows `r..r + R` of the tile.
    #[inline(always)]
    pub(crate) fn some_rows<const R: usize>(&mut self, r: usize) -> [&mut [T]; R] {
        assert!(R <= self.size.0 && r <= self.size.0 - R);
        core::array::from_fn(|more| {
            let first = self.first + (r + more) * self.stride;
            // SAFETY: within the matrix, for the row is within the tile and the tile within the matrix. Tiles
            // and rows are disjoint, and this tile stays borrowed as long as the rows.
            unsafe { self.out.part(first..first + self.size.1) }
        })
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::{super::meeting::Meeting, *};
    use alloc::{vec, vec::Vec};
    use std::{collections::HashSet, sync::Mutex, thread};

    /// Enough for any number of workers.
    const MUCH: usize = usize::MAX;

    #[test]
    fn every_element_is_in_exactly_one_part() {
        for threads in [1, 2, 3, 5] {
            let engine = Engine::new(threads).unwrap();
            for (rows, cols) in
                [(0, 5), (5, 0), (1, 1), (1, 1000), (129, 63), (130, 200), (1000, 3), (300, 640)]
            {
                let mut seen = vec![0; rows * cols];
                engine.tiles(&mut seen, cols, MUCH, |tile| {
                    assert!(tile.rows() <= TALLEST && tile.col % 64 == 0);
                    let (row, col, width) = (tile.row, tile.col, tile.cols());
                    for r in 0..tile.rows() {
                        assert_eq!(tile.row(r).len(), width);
                        for (c, seen) in tile.row(r).iter_mut().enumerate() {
                            *seen += (row + r) * cols + col + c + 1;
                        }
                    }
                });
                assert!(seen.iter().enumerate().all(|(at, &seen)| seen == at + 1), "tiles {rows} x {cols}");
                seen.fill(0);
                engine.rows(&mut seen, cols, MUCH, |first, part| {
                    part.iter_mut().enumerate().for_each(|(at, seen)| *seen += first * cols + at + 1);
                });
                assert!(seen.iter().enumerate().all(|(at, &seen)| seen == at + 1), "rows {rows} x {cols}");
            }
        }
    }

    #[test]
    fn chunks_depend_on_nothing_but_their_size() {
        for (threads, len, chunk) in
            [(1, 10, 3), (2, 10, 3), (3, 1000, 1), (2, 1000, 4096), (2, 0, 5), (2, 9, 0)]
        {
            let engine = Engine::new(threads).unwrap();
            let (mut a, mut b, g) = (vec![0; len], vec![0u8; len], (0..len).collect::<Vec<_>>());
            let firsts = Mutex::new(vec![]);
            let kernel = |first, (a, b, g): (&mut [usize], &mut [u8], &[usize])| {
                assert!(a.len() == b.len() && a.len() == g.len());
                a.iter_mut().zip(g).enumerate().for_each(|(at, (a, g))| *a += g * (first + at));
                b.iter_mut().for_each(|b| *b += 1);
                firsts.lock().unwrap().push(first);
            };
            engine.chunks((&mut a[..], &mut b[..], &g[..]), chunk, kernel).unwrap();
            assert!(a.iter().enumerate().all(|(at, &a)| a == at * at) && b.iter().all(|&b| b == 1));
            let mut firsts = firsts.into_inner().unwrap();
            firsts.sort_unstable();
            assert_eq!(firsts, (0..len).step_by(chunk.max(1)).collect::<Vec<_>>());
        }
        let differ = Engine::single().chunks((&mut [0; 3][..], &[0; 4][..]), 2, |_, _| unreachable!());
        let error = Error::Length { op: "chunks", operand: "every slice", expected: 3, got: 4 };
        assert_eq!(differ, Err(error));
    }

    #[test]
    fn workers_share_large_work_and_leave_small_work_alone() {
        let engine = Engine::new(2).unwrap();
        let parts = |out: &mut [u8], cols, work, meet: usize| {
            let (parts, meet) = (Mutex::new(HashSet::new()), Meeting::of(meet));
            engine.tiles(out, cols, work, |tile| {
                meet.wait();
                parts.lock().unwrap().insert((tile.row, tile.col, thread::current().id()));
            });
            parts.into_inner().unwrap()
        };
        let here = thread::current().id();
        let small = parts(&mut [0; 256], 128, WORK_PER_JOB, 1);
        assert!(small.len() == 1 && small.iter().all(|part| part.2 == here));
        // by columns, and by rows where there are too few columns
        for cols in [128, 4] {
            let large = parts(&mut [0; 256], cols, 2 * WORK_PER_JOB, 2);
            assert!(large.len() == 2 && large.iter().filter(|part| part.2 == here).count() == 1);
        }
    }
}
