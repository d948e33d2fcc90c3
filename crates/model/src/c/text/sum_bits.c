/* The number of ones in x. */
static uint32_t ones(uint32_t x)
{
    /* without an instruction to count bits, the builtin is a call that is slower than the code below */
#if defined(__GNUC__) && (defined(__POPCNT__) || defined(__aarch64__) || defined(__riscv_zbb))
    return (uint32_t)__builtin_popcountl(x);
#else
    x -= (x >> 1) & 0x55555555u;
    x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0fu;
    return ((x * 0x01010101u) & 0xffffffffu) >> 24;
#endif
}

/* The sum of n products of +-1: the number of equal bits minus the number of different ones. */
static int32_t sum_bits(const uint32_t *x, const uint32_t *weights, uint32_t n)
{
    uint32_t differ = 0, i;
    for (i = 0; i < (n + 31) / 32; i++)
        differ += ones(x[i] ^ weights[i]);
    return (int32_t)n - 2 * (int32_t)differ;
}
