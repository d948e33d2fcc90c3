/* The exact sum over a patch of bytes as what they count as; `one` matters only for patches of bits. */
static int32_t sum_patch_bytes(const int16_t *patch, int one, const uint32_t *weights, uint32_t n)
{
    int32_t sum = 0;
    uint32_t i;
    (void)one;
    for (i = 0; i < n; i++)
        sum += (weights[i / 32] >> (i % 32)) & 1 ? patch[i] : -patch[i];
    return sum;
}
