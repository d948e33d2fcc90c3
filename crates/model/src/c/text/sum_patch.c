/* The sum over a patch; `one` matters only for patches of bits. */
static SUM sum_patch_KIND(const VALUE *patch, int one, const uint32_t *weights, uint32_t n)
{
    (void)one;
    return sum_KIND(patch, weights, n);
}
