/* Copies n bits from place `from` of x to place `to` of y. */
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

/* What a kernel at (row, col) of the padded image meets, with `around` for what lies outside. */
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
    /* pixels of all channels lie side by side */
    step = g->groups == 1 ? right - left : 1;
    for (ky = top; ky < bottom; ky++)
        for (kx = left; kx < right; kx += step) {
            const uint32_t pixel = (row + ky - g->top) * g->w + (col + kx - g->left);
            copy(x, pixel * g->c + group * c, patch, (ky * g->kw + kx) * c, step * c);
        }
    return bottom - top == g->kh && right - left == g->kw;
}

/* Gives whether one patch is enough. Where zeros are outside, the second has +1 there and the first -1: half of the two
 * sums is the sum with zeros. */
static int patch_bits(const uint32_t *x, const geometry *g, uint32_t row, uint32_t col, uint32_t group, uint32_t *patch)
{
    const uint32_t n = g->kh * g->kw * (g->c / g->groups);
    if (gather(x, g, row, col, group, g->pad > 0 ? 0xffffffffu : 0, patch) || g->pad != 0)
        return 1;
    gather(x, g, row, col, group, 0xffffffffu, patch + (n + 31) / 32);
    return 0;
}

static int32_t sum_patch_bits(const uint32_t *patch, int one, const uint32_t *weights, uint32_t n)
{
    const int32_t sum = sum_bits(patch, weights, n);
    return one ? sum : (sum + sum_bits(patch + (n + 31) / 32, weights, n)) / 2;
}
