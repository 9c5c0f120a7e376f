"""bench_kpi_copy.py FILE - the runs and facts of a SQLite store as a script for psql: their rows are the same in both."""

import sqlite3
import sys


def cell(value):
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return r"\\x" + value.hex()
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")


store = sqlite3.connect(sys.argv[1])
for table in ("runs", "fact_subjects", "facts"):
    columns = [row[1] for row in store.execute(f"pragma table_info({table})") if row[1] != "seq"]
    order = "seq" if table != "fact_subjects" else "hash"
    print(f"copy {table} ({', '.join(columns)}) from stdin;")
    for row in store.execute(f"select {', '.join(columns)} from {table} order by {order}"):
        print("\t".join(map(cell, row)))
    print(r"\.")
