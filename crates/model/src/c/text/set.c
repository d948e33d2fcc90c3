/* Sets all words of x that hold `bits` bits to 0. */
static void clear(uint32_t *x, uint32_t bits)
{
    uint32_t i;
    for (i = 0; i < (bits + 31) / 32; i++)
        x[i] = 0;
}

/* Sets the bit at position `at` to 1. */
static void set(uint32_t *x, uint32_t at)
{
    x[at / 32] |= (uint32_t)1 << (at % 32);
}
