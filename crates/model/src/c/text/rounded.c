/* x as a float in memory: no compiler may join the product before it and the sum behind it into one operation. */
static float rounded(float x)
{
    volatile float y = x;
    return y;
}
