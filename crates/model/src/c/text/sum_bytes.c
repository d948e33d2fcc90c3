/* The exact sum of n bytes times +-1; a byte counts as 2 * byte - 255. */
static int32_t sum_bytes(const uint8_t *x, const uint32_t *weights, uint32_t n)
{
    int32_t sum = 0;
    uint32_t i;
    for (i = 0; i < n; i++)
        sum += (weights[i / 32] >> (i % 32)) & 1 ? counted(x[i]) : -counted(x[i]);
    return sum;
}
