/* Of the taps of a kernel that begins at `at` in the padded image, those that meet the image: first up to last. */
static void taps(uint32_t at, uint32_t before, uint32_t kernel, uint32_t size, uint32_t *first, uint32_t *last)
{
    *first = at < before ? before - at : 0;
    *last = size + before - at < kernel ? size + before - at : kernel;
}
