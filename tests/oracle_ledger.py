#!/usr/bin/env python3
"""oracle_ledger.py - classifies ledger histories by brute force, to doubt measure_ledger.c.

Written from the table of docs/measurement.md, not from the C code: it keeps sets, sorts, and for the
observed RPO walks over every pair. Slow on purpose. Reads histories on stdin, one JSON object a
line:

    {"t0": ns, "fault": [sent, confirmed], "outside": n,
     "writes": [[outcome, sent, done, seen, intact], ...]}

outcome: "none", "acknowledged", "failed", "indeterminate"; seen: how often the row was read back;
outside: rows read back whose number nobody ever used. Writes one line of numbers for each history.
"""
import json
import sys


def recovery_span(t0, survivors, losses):
    """The acknowledgement of the newest survivor before the first loss, as [low, high].

    Every moment of acknowledgement lies somewhere in [sent, done]. A survivor is certainly before
    the first loss when it is certainly before every loss.
    """
    low, high = t0, t0
    for sent, done in survivors:
        if all(done < lost_sent for lost_sent, _ in losses):
            low = max(low, sent)
        if all(sent < lost_done for _, lost_done in losses):
            high = max(high, min([done] + [lost_done for _, lost_done in losses]))
    return low, high


def classify(history):
    writes = list(enumerate(history["writes"]))
    attempted = {i for i, w in writes if w[0] != "none"}
    acknowledged = {i for i, w in writes if w[0] == "acknowledged"}
    failed = {i for i, w in writes if w[0] == "failed"}
    indeterminate = {i for i, w in writes if w[0] == "indeterminate"}
    present = {i for i, w in writes if w[3] > 0}
    twice = {i for i, w in writes if w[3] > 1}
    broken = {i for i, w in writes if w[3] > 0 and not w[4]}

    corrupted = attempted & broken
    ok = (acknowledged & present) - broken
    lost = acknowledged - present
    recovered = ((failed | indeterminate) & present) - broken
    absent = (failed | indeterminate) - present
    unexpected = len(present - attempted) + history["outside"]

    times = {i: (w[1], w[2]) for i, w in writes}
    losses = [times[i] for i in lost | corrupted]
    rpo = (0, 0)
    if losses:
        low, high = recovery_span(history["t0"], [times[i] for i in ok], losses)
        sent, confirmed = history["fault"]
        end_low = max([sent] + [s for s, _ in losses])
        end_high = max([confirmed] + [d for _, d in losses])
        rpo = (max(0, end_low - high), max(0, end_high - low))
    keys = sorted(lost | corrupted)[:20]
    return [len(attempted), len(acknowledged), len(failed), len(indeterminate), len(ok), len(lost),
            len(corrupted), len(recovered), len(recovered & failed), len(absent),
            len(attempted & twice), unexpected, rpo[0], rpo[1], len(keys), sum(keys)]


for line in sys.stdin:
    print(*classify(json.loads(line)))
