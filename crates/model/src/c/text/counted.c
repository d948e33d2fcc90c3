/* The integer that a byte counts as: symmetric around 0. */
static int16_t counted(uint8_t byte)
{
    return (int16_t)(2 * byte - 255);
}
