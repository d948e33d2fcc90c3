/* [sum >= limit]: unit u at depth k is bit k * units + u. weights: one row for each unit; limits: (depth,
 * units). */
static void dense_KIND(const VALUE *x, uint32_t inputs, const uint32_t *weights, const LIMIT *limits, uint32_t units,
                       uint32_t depth, uint32_t *y)
{
    const uint32_t words = (inputs + 31) / 32;
    uint32_t unit, k;
    clear(y, depth * units);
    for (unit = 0; unit < units; unit++) {
        const SUM sum = sum_KIND(x, weights + unit * words, inputs);
        for (k = 0; k < depth; k++)
            if (sum >= limits[k * units + unit])
                set(y, k * units + unit);
    }
}
