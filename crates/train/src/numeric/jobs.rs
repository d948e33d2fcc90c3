//! The size of the jobs that threads share in element-wise loops.

/// Elements in a job: enough work to hand to another thread.
pub(crate) const JOB: usize = 1 << 14;

/// Elements in a job of whole rows of `cols` elements: [`JOB`], rounded up.
pub(crate) fn job_of_rows(cols: usize) -> usize {
    JOB.div_ceil(cols.max(1)) * cols
}
