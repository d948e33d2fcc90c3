/* The sum of four numbers times +-1; bit i of `signs` is the sign of number i. */
static float four(uint32_t signs, const float *x)
{
    return ((signs & 1 ? x[0] : -x[0]) + (signs & 2 ? x[1] : -x[1]))
           + ((signs & 4 ? x[2] : -x[2]) + (signs & 8 ? x[3] : -x[3]));
}

/* The sum of n numbers times +-1, added in fours: the order that all readers of .onebit files share. */
static float sum_reals(const float *x, const uint32_t *weights, uint32_t n)
{
    float sum = 0.0f, rest[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    uint32_t i, k;
    for (i = 0; i + 4 <= n; i += 4)
        sum = sum + four(weights[i / 32] >> (i % 32), x + i);
    if (i < n) {
        for (k = 0; i + k < n; k++)
            rest[k] = x[i + k];
        sum = sum + four(weights[i / 32] >> (i % 32), rest);
    }
    return sum;
}
