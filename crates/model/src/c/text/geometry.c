/* Image (h, w, c), kernel, its steps, what is around the image and what that counts as, groups of channels, units,
 * window and its steps, and how many windows there are. */
typedef struct {
    uint32_t h, w, c, kh, kw, sh, sw, top, left;
    int32_t pad;
    uint32_t groups, units, ph, pw, psh, psw, rows, cols;
} geometry;
