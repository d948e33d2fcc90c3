/* What a kernel at (row, col) of the padded image meets, as what bytes count as, with zeros outside. */
static int patch_bytes(const uint8_t *x, const geometry *g, uint32_t row, uint32_t col, uint32_t group, int16_t *patch)
{
    const uint32_t c = g->c / g->groups;
    uint32_t top, bottom, left, right, i, ky, kx;
    taps(row, g->top, g->kh, g->h, &top, &bottom);
    taps(col, g->left, g->kw, g->w, &left, &right);
    for (i = 0; i < g->kh * g->kw * c; i++)
        patch[i] = 0;
    for (ky = top; ky < bottom; ky++)
        for (kx = left; kx < right; kx++) {
            const uint32_t pixel = (row + ky - g->top) * g->w + (col + kx - g->left);
            for (i = 0; i < c; i++)
                patch[(ky * g->kw + kx) * c + i] = (int16_t)(2 * x[pixel * g->c + group * c + i] - 255);
        }
    return 1;
}

static int32_t sum_patch_bytes(const int16_t *patch, int one, const uint32_t *weights, uint32_t n)
{
    int32_t sum = 0;
    uint32_t i;
    (void)one;
    for (i = 0; i < n; i++)
        sum += (weights[i / 32] >> (i % 32)) & 1 ? patch[i] : -patch[i];
    return sum;
}
