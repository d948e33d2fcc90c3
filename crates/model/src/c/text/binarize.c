/* [x > threshold]: feature i at threshold k is bit k * features + i. Returns 0 if a feature is not finite,
 * else 1. */
static int binarize(const float *x, uint32_t features, const float *thresholds, uint32_t depth, uint32_t *y)
{
    uint32_t i, k;
    clear(y, depth * features);
    for (i = 0; i < features; i++) {
        const float value = feature(x, i);
        if (!in_range(value))
            return 0;
        for (k = 0; k < depth; k++)
            if (value > thresholds[k])
                set(y, k * features + i);
    }
    return 1;
}
