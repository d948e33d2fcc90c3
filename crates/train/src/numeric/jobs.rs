//! The size of the jobs that threads share in element-wise loops.

/// Elements per job: enough work to be worth another thread.
pub(crate) const JOB: usize = 1 << 14;

/// Elements per job of whole rows of `cols` elements: [`JOB`], rounded up.
pub(crate) fn job_of_rows(cols: usize) -> usize {
    JOB.div_ceil(cols.max(1)) * cols
}
