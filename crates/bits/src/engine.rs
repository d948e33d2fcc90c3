//! Where kernels run: an instruction set, and workers that share the output.
//!
//! Work is split into disjoint parts of the output and never inside a sum, so no result depends on the workers.

use alloc::vec::Vec;

use crate::{
    error::{Error, Result},
    isa::Isa,
};

/// An instruction set and a number of workers. Cloning shares the workers.
#[derive(Clone, Debug)]
pub struct Engine {
    isa: Isa,
    #[cfg(feature = "std")]
    pool: Option<alloc::sync::Arc<rayon::ThreadPool>>,
}

/// Operations below which another worker costs more than it saves (some microseconds).
const WORK_PER_JOB: usize = 1 << 17;

/// Rows of a tile: so many pages of the output stay in the TLB, and so much of a left operand in the L2 cache.
const TALLEST: usize = 128;

/// More is a mistake, and would otherwise be asked of the operating system.
#[cfg(feature = "std")]
const MOST_THREADS: usize = 1024;

impl Engine {
    /// The best instruction set of this machine and `threads` workers; 1 works on the caller's thread.
    ///
    /// # Errors
    /// [`Error::Threads`] for 0, for more than 1024, for more than 1 without the feature `std`,
    /// and where the operating system refuses.
    pub fn new(threads: usize) -> Result<Self> {
        let refuse = |reason| Err(Error::Threads { got: threads, reason });
        match threads {
            0 => refuse("at least 1 is needed"),
            1 => Ok(Self::single()),
            #[cfg(not(feature = "std"))]
            _ => refuse("only 1 is possible without the feature `std`"),
            #[cfg(feature = "std")]
            2..=MOST_THREADS => match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
                Ok(pool) => Ok(Self { pool: Some(pool.into()), ..Self::single() }),
                Err(_) => refuse("the operating system refused"),
            },
            #[cfg(feature = "std")]
            _ => refuse("at most 1024 are possible"),
        }
    }

    /// The best instruction set of this machine, on the caller's thread.
    #[must_use]
    pub fn single() -> Self {
        Self {
            isa: Isa::best(),
            #[cfg(feature = "std")]
            pool: None,
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

    /// The number of workers.
    #[must_use]
    pub fn threads(&self) -> usize {
        #[cfg(feature = "std")]
        if let Some(pool) = &self.pool {
            return pool.current_num_threads();
        }
        1
    }

    /// Splits `out`: (rows, cols) into runs of whole rows. `kernel(first row, the rows)`; `work` is the total
    /// number of operations, roughly.
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
        let jobs = out.chunks_mut(part * cols).enumerate().collect();
        self.each(jobs, |(index, rows)| kernel(index * part, rows));
    }

    /// Splits `out`: (rows, cols) into tiles of at most [`TALLEST`] rows: by columns, in multiples of 64, where
    /// there are enough of them, because that also splits the right operand; else by rows.
    pub(crate) fn tiles<'a, T: Send>(
        &self,
        out: &'a mut [T],
        cols: usize,
        work: usize,
        kernel: impl Fn(&mut Tile<T>) + Sync,
    ) {
        if out.is_empty() {
            return;
        }
        let jobs = self.jobs(work);
        let (height, width) = if cols >= 64 * jobs {
            (TALLEST, cols.div_ceil(jobs).next_multiple_of(64))
        } else {
            (TALLEST.min((out.len() / cols).div_ceil(jobs)), cols)
        };
        let mut tiles: Vec<Tile<'a, T>> = Vec::new();
        for (band, rows) in out.chunks_mut(height * cols).enumerate() {
            let first = tiles.len();
            let columns = (0..cols).step_by(width);
            tiles.extend(columns.map(|col| Tile { row: band * height, col, rows: Vec::new() }));
            for row in rows.chunks_mut(cols) {
                let tiles = tiles[first..].iter_mut();
                tiles.zip(row.chunks_mut(width)).for_each(|(tile, run)| tile.rows.push(run));
            }
        }
        self.each(tiles, |mut tile| kernel(&mut tile));
    }

    fn jobs(&self, work: usize) -> usize {
        self.threads().min(work / WORK_PER_JOB).max(1)
    }

    fn each<J: Send>(&self, jobs: Vec<J>, run: impl Fn(J) + Sync) {
        #[cfg(feature = "std")]
        if let (Some(pool), 2..) = (&self.pool, jobs.len()) {
            use rayon::prelude::*;
            return pool.install(|| jobs.into_par_iter().with_max_len(1).for_each(&run));
        }
        jobs.into_iter().for_each(run);
    }
}

/// A part of an output matrix: its first row and column, and its piece of each of its rows.
pub(crate) struct Tile<'a, T> {
    pub(crate) row: usize,
    pub(crate) col: usize,
    pub(crate) rows: Vec<&'a mut [T]>,
}

impl<T> Tile<'_, T> {
    pub(crate) fn cols(&self) -> usize {
        self.rows.first().map_or(0, |row| row.len())
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use alloc::vec;

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
                    assert!(tile.rows.len() <= TALLEST && tile.col % 64 == 0);
                    for (r, row) in tile.rows.iter_mut().enumerate() {
                        for (c, seen) in row.iter_mut().enumerate() {
                            *seen += (tile.row + r) * cols + tile.col + c + 1;
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
    fn workers_share_large_work_and_leave_small_work_alone() {
        use std::{collections::HashSet, sync::Mutex, thread};
        let engine = Engine::new(2).unwrap();
        let parts = |out: &mut [u8], cols, work| {
            let parts = Mutex::new(HashSet::new());
            engine.tiles(out, cols, work, |tile| {
                parts.lock().unwrap().insert((tile.row, tile.col, thread::current().id()));
            });
            parts.into_inner().unwrap()
        };
        let here = thread::current().id();
        let small = parts(&mut [0; 256], 128, WORK_PER_JOB);
        assert!(small.len() == 1 && small.iter().all(|part| part.2 == here));
        // by columns, and by rows where there are too few columns
        for cols in [128, 4] {
            let large = parts(&mut [0; 256], cols, 2 * WORK_PER_JOB);
            assert!(large.len() == 2 && large.iter().all(|part| part.2 != here));
        }
    }
}
