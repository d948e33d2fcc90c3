/* Whether x is finite. */
static int in_range(float x)
{
    return x >= -0x1.fffffep+127f && x <= 0x1.fffffep+127f;
}
