/* Copies n bits from position `from` of x to position `to` of y. */
static void copy(const uint32_t *x, uint32_t from, uint32_t *y, uint32_t to, uint32_t n)
{
    while (n > 0) {
        const uint32_t f = from % 32, t = to % 32, room = 32 - (f > t ? f : t), k = n < room ? n : room;
        const uint32_t mask = 0xffffffffu >> (32 - k);
        y[to / 32] = (y[to / 32] & ~(mask << t)) | (((x[from / 32] >> f) & mask) << t);
        from += k;
        to += k;
        n -= k;
    }
}

/* Gathers the bits under a kernel at (row, col) of the padded image into a patch; padding has the bits of
 * `around`. Returns whether the whole kernel lies inside the image. */
static int gather(const uint32_t *x, const geometry *g, uint32_t row, uint32_t col, uint32_t group, uint32_t around,
                  uint32_t *patch)
{
    const uint32_t c = g->c / g->groups, n = g->kh * g->kw * c;
    uint32_t top, bottom, left, right, i, ky, kx, step;
    taps(row, g->top, g->kh, g->h, &top, &bottom);
    taps(col, g->left, g->kw, g->w, &left, &right);
    for (i = 0; i < (n + 31) / 32; i++)
        patch[i] = around;
    if (n % 32 > 0)
        patch[n / 32] &= 0xffffffffu >> (32 - n % 32);
    /* without groups, the pixels of a row are contiguous */
    step = g->groups == 1 ? right - left : 1;
    for (ky = top; ky < bottom; ky++)
        for (kx = left; kx < right; kx += step) {
            const uint32_t pixel = (row + ky - g->top) * g->w + (col + kx - g->left);
            copy(x, pixel * g->c + group * c, patch, (ky * g->kw + kx) * c, step * c);
        }
    return bottom - top == g->kh && right - left == g->kw;
}

/* Gathers one patch and returns 1; or, where padding counts 0, two patches, and returns 0: the first has -1
 * in the padding and the second +1, so that the mean of their sums is the sum with 0. */
static int patch_bits(const uint32_t *x, const geometry *g, uint32_t row, uint32_t col, uint32_t group, uint32_t *patch)
{
    const uint32_t n = g->kh * g->kw * (g->c / g->groups);
    if (gather(x, g, row, col, group, g->pad > 0 ? 0xffffffffu : 0, patch) || g->pad != 0)
        return 1;
    gather(x, g, row, col, group, 0xffffffffu, patch + (n + 31) / 32);
    return 0;
}

/* The sum over a patch; `one` is what patch_bits returned. */
static int32_t sum_patch_bits(const uint32_t *patch, int one, const uint32_t *weights, uint32_t n)
{
    const int32_t sum = sum_bits(patch, weights, n);
    return one ? sum : (sum + sum_bits(patch + (n + 31) / 32, weights, n)) / 2;
}
