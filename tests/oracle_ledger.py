#!/usr/bin/env python3
"""oracle_ledger.py - decides by brute force what became of every write, and compares it with ours.

Written from docs/measurement.md, section 4, and not from the C code: it keeps sets, reads the list of
readings as a list, and for the observed RPO walks over every pair. Slow on purpose. Reads what
tests/oracle_ledger.c prints: one JSON object a line,

    {"t0": ns, "fault": [sent, confirmed], "counted": n, "settle_s": seconds,
     "writes": [[outcome, sent, done], ...],       the number of a write is its place here; rows of one
                                                  batch have one sent and one done
     "counts": [[reading, ...], [reading, ...]],   a reading: [[number, intact], ...], or null
     "ours": {"counts": [...], "worse": ...}}

Prints "1000 of 1000 agree", and before it whatever differs. Exits 1 when anything does.
"""
import json
import sys

SHOWN = 20  # so many numbers of lost writes are listed


def settle(readings, acknowledged, at_most_s):
    """Which reading counts: (the reading or None, how many were complete, missing in the first).

    One reading each second, for settle_at_most at most. It is over when nothing acknowledged is
    missing, or when three complete readings in a row miss the same number.
    """
    missing = []
    for second in range(10 ** 6):
        reading = readings[min(second, len(readings) - 1)]
        if reading is not None:
            there = {number for number, _ in reading}
            missing.append(len(acknowledged - there))
            if missing[-1] == 0 or (len(missing) >= 3 and len(set(missing[-3:])) == 1):
                break
        if second >= at_most_s:
            break
    return reading, len(missing), missing[0] if missing else 0


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


def observed_rpo(history, times, survivors, losses):
    if not losses:
        return [0, 0]
    lost_times = [times[number] for number in losses]
    low, high = recovery_span(history["t0"], [times[number] for number in survivors], lost_times)
    sent, confirmed = history["fault"]
    end_low = max([sent] + [lost_sent for lost_sent, _ in lost_times])
    end_high = max([confirmed] + [lost_done for _, lost_done in lost_times])
    return [max(0, end_low - high), max(0, end_high - low)]


def classify(history, readings):
    writes = history["writes"]
    counted = range(history["counted"])
    by_outcome = {outcome: {n for n in counted if writes[n][0] == outcome}
                  for outcome in ("none", "acknowledged", "failed", "indeterminate")}
    acknowledged = by_outcome["acknowledged"]
    unsure = by_outcome["failed"] | by_outcome["indeterminate"]
    attempted = acknowledged | unsure

    reading, complete, first_missing = settle(readings, acknowledged, history["settle_s"])
    if reading is None:
        return {"readable": False}
    rows = [number for number, _ in reading]
    present = set(rows) & set(counted)
    broken = {number for number, intact in reading if not intact} & attempted
    twice = {number for number in present if rows.count(number) > 1}
    nobodys = [number for number in rows if not 0 <= number < len(writes)]
    lost = acknowledged - present
    recovered = (unsure & present) - broken
    ok = (acknowledged & present) - broken
    times = {n: (writes[n][1], writes[n][2]) for n in counted}
    return {
        "readable": True,
        "readings": complete,
        "first_missing": first_missing,
        "rpo": observed_rpo(history, times, ok, lost | broken),
        "keys": sorted(lost | broken)[:SHOWN],
        "attempted": len(attempted),
        "acknowledged": len(acknowledged),
        "failed": len(by_outcome["failed"]),
        "indeterminate": len(by_outcome["indeterminate"]),
        "ok": len(ok),
        "lost": len(lost),
        "corrupted": len(broken),
        "recovered": len(recovered),
        "recovered_failed": len(recovered & by_outcome["failed"]),
        "absent": len(unsure - present),
        "duplicated": len(twice & attempted),
        "unexpected": len(present & by_outcome["none"]) + len(nobodys),
    }


def worse(counts):
    """More rows lost or corrupted first, then the longer RPO: by its high bound, then its low one."""
    found = [(c["lost"] + c["corrupted"], c["rpo"][1], c["rpo"][0]) for c in counts if c["readable"]]
    if not found:
        return None
    losses, high, low = max(found)
    return [losses, low, high]


def main():
    total = agreed = 0
    planted = dict.fromkeys(("lost", "corrupted", "recovered", "duplicated", "unexpected", "unreadable",
                             "shown late"), 0)
    for line in sys.stdin:
        history = json.loads(line)
        counts = [classify(history, readings) for readings in history["counts"]]
        mine = {"counts": counts, "worse": worse(counts)}
        total += 1
        if mine == history["ours"]:
            agreed += 1
        else:
            print(f"history {total}\n  oracle: {json.dumps(mine)}\n  ours:   {json.dumps(history['ours'])}")
        for name in planted:
            planted[name] += any(
                not c["readable"] if name == "unreadable"
                else c["readable"] and (c["first_missing"] > c["lost"] if name == "shown late" else c[name] > 0)
                for c in counts)
    print("histories with", ", ".join(f"{name}: {count}" for name, count in planted.items()))
    print(f"{agreed} of {total} agree")
    # A thousand histories without any loss would agree on nothing.
    return 0 if total > 0 and agreed == total and all(planted.values()) else 1


sys.exit(main())
