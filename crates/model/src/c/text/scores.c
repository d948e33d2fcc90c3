/* The score of each class: (sum - mean) * scale + shift. */
static void scores_KIND(const VALUE *x, uint32_t inputs, const uint32_t *weights, const float *mean,
                        const float *scale, const float *shift, uint32_t classes, float *scores)
{
    const uint32_t words = (inputs + 31) / 32;
    uint32_t i;
    for (i = 0; i < classes; i++) {
        const float sum = (float)sum_KIND(x, weights + i * words, inputs);
        scores[i] = rounded((sum - mean[i]) * scale[i]) + shift[i];
    }
}
