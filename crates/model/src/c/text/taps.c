/* Along one axis, the range [first, last) of the taps of a kernel that lie inside the image; the kernel
 * starts at `at` of the padded image, whose padding is `before`. */
static void taps(uint32_t at, uint32_t before, uint32_t kernel, uint32_t size, uint32_t *first, uint32_t *last)
{
    *first = at < before ? before - at : 0;
    *last = size + before - at < kernel ? size + before - at : kernel;
}
