/* Image (h, w, c); kernel (kh, kw) and its strides (sh, sw); padding at the top and left, and what it counts
 * as; groups of channels; units (output channels); pooling window (ph, pw) and its strides; output (rows,
 * cols). */
typedef struct {
    uint32_t h, w, c, kh, kw, sh, sw, top, left;
    int32_t pad;
    uint32_t groups, units, ph, pw, psh, psw, rows, cols;
} geometry;
