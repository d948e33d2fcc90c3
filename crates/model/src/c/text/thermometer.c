/* [x > threshold]: pixel p, channel c at threshold k is bit (p * depth + k) * channels + c; thresholds:
 * (depth, channels). Returns 0 if a feature is not finite, else 1. */
static int thermometer(const float *x, uint32_t features, uint32_t channels, const float *thresholds, uint32_t depth,
                       uint32_t *y)
{
    uint32_t i, k;
    clear(y, depth * features);
    for (i = 0; i < features; i++) {
        const uint32_t pixel = i / channels, c = i % channels;
        const float value = feature(x, i);
        if (!in_range(value))
            return 0;
        for (k = 0; k < depth; k++)
            if (value > thresholds[k * channels + c])
                set(y, (pixel * depth + k) * channels + c);
    }
    return 1;
}
