/* Rounds x to a float in memory, so that no compiler fuses the product that gave it with a following sum. */
static float rounded(float x)
{
    volatile float y = x;
    return y;
}
