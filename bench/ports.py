"""What instruction sequences cost on this processor: the figures in cycles of docs/reference/kernels.md.

    python3 bench/ports.py

Needs gcc and AVX-512 with VPOPCNTDQ and BF16. Each sequence is a loop body of assembly whose data stay in the L1 cache; the
best of 15 runs, in cycles of a chain of dependent additions that is timed beside it. Nothing else should run.
"""

import pathlib
import subprocess
import tempfile

SEQUENCES = {}  # name: (instructions, how many units of work they do)


def z(register):
    return f"%%zmm{register}"


def sequence(name, lines, units):
    SEQUENCES[name] = (lines, units)


def word(row, half, at):
    """Half a word of a left row as an operand that is broadcast."""
    return f"{64 * row + 8 * at + 4 * half}(%0)%{{1to16%}}"


def plain_count():
    lines = []
    for at in range(2):
        lines += [f"vmovdqa64 {4096 + 64 * (4 * at + j)}(%0),{z(28 + j)}" for j in range(4)]
        for cell in range(16):
            t = z(24 + cell % 4)
            lines += [f"vpxord {word(cell // 4, at, 0)},{z(28 + cell % 4)},{t}", f"vpopcntd {t},{t}"]
            lines += [f"vpaddd {t},{z(cell)},{z(cell)}"]
    return lines


def carry_save():
    """half = ones ^ a0 ^ b0, sum = half ^ a1 ^ b1, carry = half ? !sum : ones, with broadcasts of their own."""
    lines = []
    for at in range(2):
        lines += [f"vmovdqa64 {4096 + 64 * (2 * at + j)}(%0),{z(30 + j)}" for j in range(2)]
        for row in range(8):
            half, (ones, total) = z(24 + row % 4), (row, 8 + row) if at == 0 else (8 + row, row)
            lines += [f"vpbroadcastd {64 * row + 8 * at}(%0),{half}"]
            lines += [f"vpbroadcastd {64 * row + 8 * at + 4}(%0),{z(total)}"]
            lines += [f"vpternlogd $0x96,{z(ones)},{z(30)},{half}", f"vpternlogd $0x96,{half},{z(31)},{z(total)}"]
            lines += [f"vpternlogd $0x3a,{z(ones)},{z(total)},{half}", f"vpopcntd {half},{half}"]
            lines += [f"vpaddd {half},{z(16 + row)},{z(16 + row)}"]
    return lines


def pairs(group):
    """first = a0 ^ b0, sum = ones ^ a01 ^ b01, carry = sum == ones ? first : ones; so many rows side by side."""
    lines, count = [], 0
    for at in range(2):
        lines += [f"vmovdqa64 {4096 + 64 * (2 * at + j)}(%0),{z(30 + j)}" for j in range(2)]
        for first in range(0, 8, group):
            steps = [[] for _ in range(6)]
            for row in range(first, first + group):
                x, old = z(16 + count % 14), z(16 + (count + 1) % 14)
                count += 2
                steps[0].append(f"vpxord {word(row, 0, at)},{z(30)},{x}")
                steps[1].append(f"vmovdqa64 {z(row)},{old}")
                steps[2].append(f"vpternlogd $0x96,{word(row, 1, at)},{z(31)},{z(row)}")
                steps[3].append(f"vpternlogd $0xb2,{old},{z(row)},{x}")
                steps[4].append(f"vpopcntd {x},{x}")
                steps[5].append(f"vpaddd {x},{z(8 + row)},{z(8 + row)}")
            lines += sum(steps, [])
    return lines


def permuted(permute, adds):
    """Eight rows with a table each against two vectors of columns."""
    lines, count = [], 0
    for half in range(8):
        for j in range(2):
            moved = f"vmovdqu64 {32768 + 64 * j + half // 2 % 4}(%0),{z(29 + j)}"
            lines += [moved if half % 2 == 0 else f"vpsrld $4,{z(29 + j)},{z(29 + j)}"]
        for row in range(8):
            x = [z(16 + (count + j) % 12) for j in range(2)]
            count += 2
            lines += [f"{permute} {512 * half + 64 * row}(%0),{z(29 + j)},{x[j]}" for j in range(2)]
            lines += [adds[j].format(x=x[j], sum=z(2 * row + j), one=z(31)) for j in range(2)]
    return lines


ADD, MULTIPLY = "vaddps {x},{sum},{sum}", "vfmadd231ps {one},{x},{sum}"
sequence("count 2 x 512 bits: XOR, count, add", plain_count(), 16)
sequence("count 2 x 512 bits: carry-save adder, own broadcasts", carry_save(), 16)
sequence("count 2 x 512 bits: in pairs, row after row", pairs(1), 16)
sequence("count 2 x 512 bits: in pairs, two rows at a time", pairs(2), 16)
sequence("64 products in f32: permute, add", permuted("vpermps", [ADD, ADD]), 128)
sequence("64 products in f32: permute, add or multiply", permuted("vpermps", [ADD, MULTIPLY]), 128)
sequence("128 products in 16 bits: permute, add", permuted("vpermw", ["vpaddw {x},{sum},{sum}"] * 2), 128)
sequence("128 products in bf16: permute, vdpbf16ps", permuted("vpermw", ["vdpbf16ps {one},{x},{sum}"] * 2), 128)
sequence("16 roots", [f"vsqrtps {z(20)},{z(i)}" for i in range(8)], 8)
sequence("16 roots and divisions", [f"vsqrtps {z(20)},{z(i)}\\nvdivps {z(20)},{z(21)},{z(8 + i)}" for i in range(8)], 8)
sequence("vpbroadcastd zmm, m32", [f"vpbroadcastd {64 * i}(%0),{z(i)}" for i in range(12)], 12)

PROGRAM = r"""
#include <stdint.h>
#include <stdio.h>
#include <time.h>
static char data[65536] __attribute__((aligned(4096)));
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static double best(void (*f)(void)) {
    double least = 1e9;
    for (int i = 0; i < 15; i++) { double t = now(); f(); t = now() - t; if (t < least) least = t; }
    return least;
}
static void chain(void) {
    uint64_t a = 1, n = 100000;
    __asm__ volatile("1:\n" ADDS "dec %1\njnz 1b" : "+r"(a), "+r"(n));
}
"""


def main():
    adds = '"' + r"add $3,%0\n" * 10 + '"'
    functions, calls = [], []
    for index, (name, (lines, units)) in enumerate(SEQUENCES.items()):
        body = r"\n".join(line.replace("\n", r"\n") for line in lines)
        functions.append(
            f'static void f{index}(void) {{ long n = 20000; __asm__ volatile("2:\\n{body}\\ndec %1\\njnz 2b" '
            f': : "r"(data), "r"(n) : "memory"); }}'
        )
        calls.append(f'printf("%-55s %6.2f cycles\\n", "{name}", best(f{index}) * hertz / 20000 / {units});')
    main_function = "int main(void) { double hertz = 1e6 / best(chain);" + "".join(calls) + "}"
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "ports.c")
        source.write_text(PROGRAM.replace("ADDS", adds) + "\n".join(functions) + main_function)
        subprocess.run(["gcc", "-O1", "-mavx512f", "-o", source.with_suffix(""), source], check=True)
        subprocess.run([source.with_suffix("")], check=True)


if __name__ == "__main__":
    main()
