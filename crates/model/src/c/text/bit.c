/* The bit at position `at`. */
static uint32_t bit(const uint32_t *x, uint32_t at)
{
    return (x[at / 32] >> (at % 32)) & 1;
}
