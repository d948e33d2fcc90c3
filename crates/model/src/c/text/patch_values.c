/* Gathers the values under a kernel at (row, col) of the padded image into a patch; padding is 0. Returns 1:
 * one patch is enough. */
static int patch_KIND(const VALUE *x, const geometry *g, uint32_t row, uint32_t col, uint32_t group, PATCH *patch)
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
                patch[(ky * g->kw + kx) * c + i] = COUNTED(x[pixel * g->c + group * c + i]);
        }
    return 1;
}
