/* [sum >= limit] at each position of the kernel, then max pooling of the bits: their OR in each window, or
 * their AND for units whose bit of `all` is 1. Unit u at (row, col) is bit (row * cols + col) * units + u.
 * weights: one row for each unit. */
static void conv_KIND(const VALUE *x, const geometry *g, const uint32_t *weights, const LIMIT *limits,
                      const uint32_t *all, PATCH *patch, uint32_t *y)
{
    const uint32_t n = g->kh * g->kw * (g->c / g->groups), words = (n + 31) / 32, units = g->units / g->groups;
    uint32_t pixel, place, group, unit;
    clear(y, g->rows * g->cols * g->units);
    for (pixel = 0; pixel < g->rows * g->cols; pixel++) {
        for (unit = 0; all && unit < g->units; unit++)
            if (bit(all, unit))
                set(y, pixel * g->units + unit);
        for (place = 0; place < g->ph * g->pw; place++) {
            const uint32_t row = (pixel / g->cols * g->psh + place / g->pw) * g->sh;
            const uint32_t col = (pixel % g->cols * g->psw + place % g->pw) * g->sw;
            for (group = 0; group < g->groups; group++) {
                const int one = patch_KIND(x, g, row, col, group, patch);
                for (unit = group * units; unit < (group + 1) * units; unit++) {
                    const uint32_t at = pixel * g->units + unit, start = all ? bit(all, unit) : 0;
                    /* the first bit of a window that differs from the start decides */
                    if (bit(y, at) == start
                        && (sum_patch_KIND(patch, one, weights + unit * words, n) >= limits[unit]) != (int)start)
                        y[at / 32] ^= (uint32_t)1 << (at % 32);
                }
            }
        }
    }
}
