"""Writes `tables/` beside this file: small tables in the formats of pandas and pyarrow. Needs both packages.

    python golden/generate_tables.py
"""

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

OUT = Path(__file__).parent / "tables"
ROWS = 40


def frame():
    """40 rows with a column of each type that Onebit reads. The class depends on length and colour."""
    n = range(ROWS)
    colours = ["red", "green", "blue"]
    length = [round(1.5 + (i * 37 % 101) / 20, 2) for i in n]
    colour = [colours[i * 7 % 3] for i in n]
    return pd.DataFrame(
        {
            "length": length,  # float64
            "width": pd.Series([i % 5 / 2 for i in n], dtype="float32"),
            "legs": pd.Series([4 + i % 3 for i in n], dtype="int64"),
            "age": pd.array([None if i % 10 == 3 else i % 7 for i in n], dtype="Int64"),  # nullable
            "tame": [i % 3 == 0 for i in n],  # bool
            "colour": pd.Categorical(colour),  # a dictionary
            "coat": ["short" if i % 4 else None for i in n],  # strings and nulls
            "kind": ["cat" if (length[i] > 4) != (colour[i] == "red") else "dog" for i in n],
        }
    )


def main():
    OUT.mkdir(exist_ok=True)
    df = frame()
    csv = df.copy()
    csv["tame"] = csv["tame"].astype(int)
    csv.to_csv(OUT / "pets.csv", index=False)
    df.to_parquet(OUT / "snappy.parquet", index=False)
    # with an index, two row groups, data pages of version 2, no dictionaries
    df.set_index(pd.RangeIndex(5, 5 + 2 * ROWS, 2)).to_parquet(
        OUT / "gzip.parquet", index=True, compression="gzip", row_group_size=25, data_page_version="2.0",
        use_dictionary=False,
    )
    df.set_index(pd.Index([f"p{i}" for i in range(ROWS)])).to_parquet(OUT / "lz4.parquet", compression="lz4")
    df.to_parquet(OUT / "zstd.parquet", index=False, compression="zstd")
    df.to_parquet(OUT / "brotli.parquet", index=False, compression="brotli")
    df.to_feather(OUT / "lz4.feather")
    df.to_feather(OUT / "zstd.feather", compression="zstd")
    feather.write_feather(df, OUT / "version1.feather", version=1)
    table = pa.Table.from_pandas(df, preserve_index=False)
    with ipc.new_stream(OUT / "stream.arrow", table.schema) as stream:
        stream.write_table(table, max_chunksize=15)

    # a dictionary that grows from batch to batch
    batches = [pa.record_batch({"x": pa.array(x).dictionary_encode()}) for x in (["a", "b"], ["a", "b", "c"])]
    options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with ipc.new_stream(OUT / "deltas.arrow", batches[0].schema, options=options) as stream:
        for batch in batches:
            stream.write_batch(batch)

    # columns of other types
    n = list(range(ROWS))
    other = {
        "int8": pa.array([i - 20 for i in n], pa.int8()),
        "uint64": pa.array([2**63 + 2**40 * i for i in n], pa.uint64()),
        "half": pa.array([i / 4 for i in n], pa.float16()),
        "decimal": pa.array([Decimal(i) / 100 - 1 for i in n], pa.decimal128(7, 2)),
        "large": pa.array(["a" if i % 2 else "b" for i in n], pa.large_string()),
        "view": pa.array(["c" if i % 3 else "d" for i in n], pa.string_view()),
        "dictionary": pa.array(["e" if i % 3 else None for i in n]).dictionary_encode(),
        "null": pa.nulls(ROWS),
        "day": pa.array(n, pa.date32()),
        "time": pa.array(n, pa.timestamp("ms")),
        "list": pa.array([[i, i] for i in n]),
        "struct": pa.array([{"a": i, "b": "x"} for i in n]),
        "bytes": pa.array([b"\xff" for _ in n], pa.binary()),
        "y": pa.array([i % 2 for i in n], pa.int16()),
    }
    table = pa.table(other)
    with ipc.new_file(OUT / "types.arrow", table.schema) as file:
        file.write_table(table)
    pq.write_table(table, OUT / "types.parquet", compression="snappy")

    # decimals with more bits than Onebit reads
    wide = pa.table({"wide": pa.array([Decimal(i) for i in n], pa.decimal256(50, 2)), "y": other["y"]})
    pq.write_table(wide, OUT / "wide.parquet")


if __name__ == "__main__":
    main()
