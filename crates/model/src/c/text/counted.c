/* What a byte counts as. */
static int16_t counted(uint8_t byte)
{
    return (int16_t)(2 * byte - 255);
}
