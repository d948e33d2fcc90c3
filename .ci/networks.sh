# Small networks, to be run where `onebit` does not run and compared with it; sourced after tools.sh. They stay
# in target/ci/networks for the next step, as long as `onebit` stays as it is.
run cargo build --release --locked --quiet # as the main job does
onebit=target/release/onebit
work=$PWD/target/ci/networks
tables=crates/data/data
samples=40

# The digits in bytes, 0 to 240: as a table, and as the arrays that a network on bytes learns from.
mkdir -p "$work/bytes"
python3 - "$tables/digits.csv" "$work" <<'PY'
import csv, struct, sys
table, work = sys.argv[1:]
header, *rows = csv.reader(open(table))
rows = [[15 * int(pixel) for pixel in row[:-1]] + [int(row[-1])] for row in rows]
with open(f"{work}/bytes.csv", "w") as file:
    file.writelines(",".join(map(str, row)) + "\n" for row in [header, *rows])

def save(name, shape, values):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}".encode()
    with open(f"{work}/bytes/{name}.npy", "wb") as file:
        file.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(values))

save("x", (len(rows), 8, 8), [pixel for row in rows for pixel in row[:-1]])
save("y", (len(rows),), [row[-1] for row in rows])
PY

# network NAME CONFIG TABLE [FLAG...]: trains NAME.onebit in $work, puts the last samples of the table into
# NAME.csv, and what `onebit predict` says of them into NAME.host
network() {
    local name=$1 config=$2 table=$3
    shift 3
    if [ "$work/$name.host" -nt "$onebit" ] && [ "$work/$name.host" -nt "$config" ]; then return; fi
    run "$onebit" train "$config" "$@" --threads 2 --out "$work/$name.onebit" >"$work/$name.log"
    { head -n 1 "$table"; tail -n "$samples" "$table"; } | sed 's/,[^,]*$//' >"$work/$name.csv"
    "$onebit" predict "$work/$name.onebit" "$work/$name.csv" >"$work/$name.predicted"
    mv "$work/$name.predicted" "$work/$name.host" # whole, or not there
}

# each_network CHECK: makes them one after the other, and calls `CHECK NAME` for each
each_network() {
    network iris iris "$tables/iris.csv"
    "$1" iris
    network digits digits "$tables/digits.csv"
    "$1" digits
    network digits-conv firmware/digits-conv.toml "$tables/digits.csv"
    "$1" digits-conv
    network digits-bytes digits "$work/bytes.csv" --data "$work/bytes"
    "$1" digits-bytes
    network digits-conv-bytes firmware/digits-conv-bytes.toml "$work/bytes.csv" --data "$work/bytes"
    "$1" digits-conv-bytes
}
