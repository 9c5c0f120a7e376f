"""oracle_kpi.py ORACLE_KPI [HISTORIES] - doubts the KPIs of the engine.

Makes seeded histories, has ORACLE_KPI (tests/oracle_kpi.c) answer them, and computes each number again from the
definitions of docs/kpi.md: by going through the rows as often as there are questions, with fractions and Python's own
time zones. Then the worked example of docs/kpi.md: its table through the same program, and its report as printed there.
"""

import datetime
import fractions
import math
import pathlib
import random
import re
import subprocess
import sys
import zoneinfo

import json

DAY = 86400 * 10**9
FIRST = 1735689600 * 10**9  # 2025-01-01
MET, MISSED, INCONCLUSIVE, UNHEALED, NOT_STARTED, STOPPED, INTERNAL = 0, 1, 3, 4, 5, 6, 7
NOTHING, SPAN, NO_OUTAGE, NEVER = range(4)
VERDICTS = ["none", "met", "missed", "inconclusive"]
KINDS = ["nothing", "span", "no_outage", "never_recovered"]


# ---- histories ----


def make_subjects(chance):
    subjects = []
    for _ in range(chance.randint(1, 8)):
        subjects.append(
            {
                "service": chance.choice(["db", "web", "mail", ""]),
                "environment": chance.choice(["", "", "staging", "production"]),
                "scenario": chance.choice(["kill on primary", "cut on primary", "fill on h1", ""]),
                "title": "A drill",
                "experiment": chance.choice("efg"),
                "inventory": chance.choice("ij"),
                "rto": chance.choice([None, 0, 10 * 10**9, 30 * 10**9]),
                "rpo": chance.choice([None, 0, 10**9]),
            }
        )
    return subjects


def make_run(chance, number, subjects, spread):
    exit_code = chance.choices([MET, MISSED, INCONCLUSIVE, UNHEALED, NOT_STARTED, STOPPED, INTERNAL], [50, 20, 8, 4, 4, 6, 4])[0]
    began = FIRST + chance.randrange(spread)
    kind = chance.choices([NOTHING, SPAN, NO_OUTAGE, NEVER], [1, 12, 2, 1])[0]
    low = chance.randrange(40 * 10**9) if kind in (SPAN, NEVER) else 0
    known = chance.random() < 0.7
    rpo_low = chance.randrange(10**9) if known else 0
    return {
        "id": f"run-{number:03}",
        "subject": chance.randrange(len(subjects)),
        "trial": 0,
        "began": began,
        "ended": began + chance.randrange(2 * 3600 * 10**9),
        "is_ended": exit_code != INTERNAL or chance.random() < 0.5,
        "exit": exit_code,
        "harmed": exit_code in (MET, MISSED, INCONCLUSIVE, UNHEALED) or (exit_code in (STOPPED, INTERNAL) and chance.random() < 0.6),
        "kind": kind,
        "rto": (low, low + (chance.randrange(10**9) if kind in (SPAN, NEVER) else 0)),
        "rto_verdict": chance.randrange(4),
        "known": known,
        "rpo": (rpo_low, rpo_low + (chance.randrange(10**8) if known else 0)),
        "lost": chance.randrange(50) if known else 0,
        "rpo_verdict": chance.randrange(4),
    }


def make_history(seed):
    chance = random.Random(seed)
    subjects = make_subjects(chance)
    spread = chance.choice([20 * DAY, 200 * DAY, 700 * DAY])
    now = FIRST + spread + chance.randrange(60 * DAY)
    return {
        "now": now,
        "since": chance.choice([0, 0, FIRST + spread // 2]),
        "stale": chance.choice([7, 30, 90]) * DAY,
        "confidence": chance.choice([900000, 950000, 990000]),
        "zone": chance.choice(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Chatham"]),
        "service": chance.choice([None, None, None, "db"]),
        "environment": chance.choice([None, None, None, "staging"]),
        "missing": chance.choice([0, 3]),
        "subjects": subjects,
        "expected": [s for s in make_subjects(chance) if chance.random() < 0.3],
        "runs": [make_run(chance, i, subjects, spread) for i in range(chance.choice([0, 3, 20, 60, 150]))],
    }


def line(*fields):
    return "\t".join("-" if f is None or f == "" else str(int(f) if isinstance(f, bool) else f) for f in fields) + "\n"


def subject_line(word, s):
    return line(word, s["service"], s["environment"], s["scenario"], s["title"], s["experiment"], s["inventory"], s["rto"], s["rpo"])


def write(h):
    text = line("history", h["now"], h["since"], h["stale"], h["confidence"], h["zone"], h["service"], h["environment"], h["missing"])
    text += "".join(subject_line("subject", s) for s in h["subjects"])
    text += "".join(subject_line("expected", s) for s in h["expected"])
    for r in h["runs"]:
        text += line("run", r["id"], r["subject"], r["trial"], r["began"], r["ended"], r["is_ended"], r["exit"], r["harmed"],
                     r["kind"], *r["rto"], r["rto_verdict"], r["known"], *r["rpo"], r["lost"], r["rpo_verdict"])
    return text + "end\n"


def ask(program, form, text):
    done = subprocess.run([program, form], input=text, capture_output=True, text=True, check=True)
    return done.stdout.split("----\n")[:-1]


# ---- definitions ----


def is_drill(r, s):
    if s["scenario"] == "":
        return False
    return r["exit"] in (MET, MISSED, INCONCLUSIVE, UNHEALED) or (r["exit"] in (STOPPED, INTERNAL) and r["harmed"])


def is_whole(r):
    return r["exit"] in (MET, MISSED, INCONCLUSIVE)


def mean(spans):
    low = fractions.Fraction(sum(s[0] for s in spans), len(spans))
    high = fractions.Fraction(sum(s[1] for s in spans), len(spans))
    return {"low_ns": math.floor(low), "high_ns": math.ceil(high)}


FINE = 30  # bits of a share


def is_at_least(passes, trials, share, doubt):
    """Is the chance of so many passes or more at most `doubt`? share: in parts of 2 ** FINE. All whole numbers."""
    rest = (1 << FINE) - share
    chance = sum(math.comb(trials, i) * share**i * rest ** (trials - i) for i in range(passes, trials + 1))
    return chance * doubt.denominator <= doubt.numerator << (FINE * trials)


def share_low(passes, trials, doubt):
    """Clopper and Pearson's, by halving."""
    low, high = 0, 1 << FINE
    while passes > 0 and high - low > 1:
        middle = (low + high) // 2
        if is_at_least(passes, trials, middle, doubt):
            low = middle
        else:
            high = middle
    return fractions.Fraction(low, 1 << FINE)


bounds_kept = {}


def bounds(met, open_, drills, confidence):
    key = (met, open_, drills, confidence)
    if key not in bounds_kept:
        doubt = fractions.Fraction(1000000 - confidence, 1000000)
        low = share_low(met, drills, doubt)
        high = 1 - share_low(drills - met - open_, drills, doubt)
        bounds_kept[key] = (low * 1000000, high * 1000000)
    return bounds_kept[key]


class Doubt:
    """Collects what is not as it should be."""

    def __init__(self):
        self.problems = []

    def same(self, what, got, wanted):
        if got != wanted:
            self.problems.append(f"{what}: {got!r}, wanted {wanted!r}")

    def near(self, what, got, wanted):
        """Rounded outwards to a whole number; a hair of room for what the bisection has not told."""
        if abs(got - wanted) > 1 + fractions.Fraction(1, 1000):
            self.problems.append(f"{what}: {got}, wanted {float(wanted)}")


def judge_share(doubt, what, got, drills, met, missed, confidence, has_bounds):
    open_ = drills - met - missed
    doubt.same(what, (got["drills"], got["met"], got["missed"], got["open"]), (drills, met, missed, open_))
    doubt.same(f"{what} has bounds", "low_ppm" in got, has_bounds)
    if not has_bounds:
        return
    if drills == 0:
        doubt.same(what, (got["low_ppm"], got["high_ppm"]), (0, 1000000))
    elif drills <= 40:  # exact arithmetic of more takes too long; test_statistics.c has those
        low, high = bounds(met, open_, drills, confidence)
        doubt.near(f"{what} low", got["low_ppm"], low)
        doubt.near(f"{what} high", got["high_ppm"], high)


def judge_recovery(doubt, what, got, runs):
    measured = [r["rto"] for r in runs if is_whole(r) and r["kind"] == SPAN]
    never = [r["rto"][0] for r in runs if is_whole(r) and r["kind"] == NEVER]
    doubt.same(f"{what} measured", got["measured"], len(measured))
    doubt.same(f"{what} mean", got["mean"], mean(measured) if measured else None)
    for key, pick in (("best", min), ("worst", max)):
        wanted = {"low_ns": pick(s[0] for s in measured), "high_ns": pick(s[1] for s in measured)} if measured else None
        doubt.same(f"{what} {key}", got[key], wanted)
    doubt.same(f"{what} no outage", got["no_outage"], sum(is_whole(r) and r["kind"] == NO_OUTAGE for r in runs))
    doubt.same(f"{what} never", (got["never_recovered"], got["never_down_ns"]), (len(never), max(never, default=0)))
    doubt.same(f"{what} unknown", got["unknown"], sum(is_whole(r) and r["kind"] == NOTHING for r in runs))
    doubt.same(f"{what} unproven", got["unproven"], sum(not is_whole(r) for r in runs))


def judge_sum(doubt, what, got, runs, h, is_month=False):
    def ended(*codes):
        return sum(r["exit"] in codes for r in runs)

    names = {"met": MET, "missed": MISSED, "inconclusive": INCONCLUSIVE, "unhealed": UNHEALED, "stopped": STOPPED, "broken_off": INTERNAL}
    doubt.same(f"{what} drills", got["drills"], {"all": len(runs), **{name: ended(code) for name, code in names.items()}})
    judge_share(doubt, f"{what} success", got["success"], len(runs), ended(MET), ended(MISSED, UNHEALED, STOPPED), h["confidence"], not is_month)
    for key in ("rto", "rpo"):
        promised = [r for r in runs if h["subjects"][r["subject"]][key] is not None]
        met = sum(VERDICTS[r[f"{key}_verdict"]] == "met" and is_whole(r) for r in promised)
        missed = sum(VERDICTS[r[f"{key}_verdict"]] == "missed" for r in promised)
        judge_share(doubt, f"{what} {key}", got[key], len(promised), met, missed, h["confidence"], not is_month)
    judge_recovery(doubt, f"{what} recovery", got["recovery"], runs)
    doubt.same(f"{what} lost", got["lost_writes"], sum(r["lost"] for r in runs if r["known"]))
    doubt.same(f"{what} month", "failed_runs" not in got, is_month)
    if is_month:
        return
    failed = ended(MISSED, UNHEALED, STOPPED)
    exposure = max(0, h["now"] - min(r["began"] for r in runs)) if runs else 0
    doubt.same(f"{what} failed", got["failed_runs"], {"count": failed, "exposure_ns": exposure, "between_ns": exposure // failed if failed else None})


def judge_drift(doubt, what, got, runs, declared):
    spans = [r["rto"] for r in runs if is_whole(r) and r["kind"] == SPAN][-20:]
    half = len(spans) // 2
    recent = spans[-half:] if len(spans) >= 6 else spans[-10:]
    earlier = spans[: len(spans) - half] if len(spans) >= 6 else []
    doubt.same(f"{what} counts", (got["recent_drills"], got["earlier_drills"]), (len(recent), len(earlier)))
    doubt.same(f"{what} recent", got["recent"], mean(recent) if recent else None)
    doubt.same(f"{what} earlier", got["earlier"], mean(earlier) if earlier else None)
    trend, change = "too few", None
    if earlier:
        change = {"low_ns": mean(recent)["low_ns"] - mean(earlier)["high_ns"], "high_ns": mean(recent)["high_ns"] - mean(earlier)["low_ns"]}
        trend = "slower" if change["low_ns"] > 0 else "faster" if change["high_ns"] < 0 else "level"
    doubt.same(f"{what} change", (got["trend"], got["change"]), (trend, change))
    used = None
    if recent and declared:
        used = {"low_ppm": mean(recent)["low_ns"] * 10**6 // declared, "high_ppm": -(-mean(recent)["high_ns"] * 10**6 // declared)}
    doubt.same(f"{what} of declared", got["of_declared"], used)


def judge_scenario(doubt, what, got, place, drills, window, h):
    decided = [r for r in drills if r["exit"] in (MET, MISSED)]
    proofs = [r for r in drills if r["exit"] == MET]
    proof = proofs[-1] if proofs else None
    since = max(0, h["now"] - proof["ended"]) if proof else None
    if not drills:
        state = "never tried"
    elif not decided:
        state = "not proven"
    elif decided[-1]["exit"] == MISSED:
        state = "failed"
    else:
        state = "stale" if since > h["stale"] else "proven"
    doubt.same(f"{what} state", got["state"], state)
    doubt.same(f"{what} proof", (got["proof"] or {}).get("run"), proof and proof["id"])
    doubt.same(f"{what} since", got["since_proof_ns"], since)
    doubt.same(f"{what} last", (got["last"] or {}).get("run"), drills[-1]["id"] if drills else None)
    if drills:
        declared = h["subjects"][drills[-1]["subject"]]
    else:
        wanted = [s for s in h["expected"] if (s["service"], s["environment"], s["scenario"]) == place]
        declared = min(wanted, key=lambda s: 0) if wanted else {"rto": None, "rpo": None}
    if drills or len(wanted) <= 1:  # which of several that never ran does not matter
        doubt.same(f"{what} declared", (got["declared_rto_ns"], got["declared_rpo_ns"]), (declared["rto"], declared["rpo"]))
        judge_drift(doubt, f"{what} drift", got["drift"], window, declared["rto"])
    judge_sum(doubt, what, got, window, h)
    return state


def judge_flaky(doubt, got, window, h):
    rows = {}
    for r in window:
        s = h["subjects"][r["subject"]]
        if r["exit"] in (MET, MISSED):
            rows.setdefault((s["service"], s["environment"], s["scenario"], s["experiment"], s["inventory"]), []).append(r)
    wanted = []
    for place, runs in rows.items():
        flips = [b["id"] for a, b in zip(runs, runs[1:]) if a["exit"] != b["exit"]]
        if len(flips) >= 2:
            wanted.append((place, len(flips), len(runs), sum(r["exit"] == MET for r in runs), flips[-1]))
    wanted.sort(key=lambda w: (-w[1], w[0]))
    seen = [
        ((f["service"] or "", f["environment"] or "", f["scenario"], f["experiment"], f["inventory"]), f["changes"], f["decided"], f["met"], f["last_change"]["run"])
        for f in got
    ]
    doubt.same("flaky", seen, wanted)


def judge(h, got):
    doubt = Doubt()

    def subject(r):
        return h["subjects"][r["subject"]]

    def is_wanted(s):
        return h["service"] in (None, s["service"]) and h["environment"] in (None, s["environment"])

    runs = sorted((r for r in h["runs"] if is_wanted(subject(r))), key=lambda r: (r["began"], r["id"]))
    drills = [r for r in runs if is_drill(r, subject(r))]
    inside = [r for r in runs if r["began"] >= h["since"]]
    window = [r for r in drills if r["began"] >= h["since"]]
    shown = [subject(r) for r in runs] + [s for s in h["expected"] if is_wanted(s)]
    services = sorted({(s["service"], s["environment"]) for s in shown})
    places = sorted({(s["service"], s["environment"], s["scenario"]) for s in shown if s["scenario"]})
    states = {}
    zone = zoneinfo.ZoneInfo(h["zone"])

    def name(service, environment):
        return {"service": service or None, "environment": environment or None}

    def of(rows, service, environment, scenario=None):
        return [r for r in rows if (subject(r)["service"], subject(r)["environment"]) == (service, environment) and scenario in (None, subject(r)["scenario"])]

    doubt.same("runs", got["runs"], {
        "all": len(inside),
        "not_started": sum(subject(r)["scenario"] != "" and not is_drill(r, subject(r)) for r in inside),
        "harmless": sum(subject(r)["scenario"] == "" for r in inside),
        "without_facts": h["missing"],
    })
    judge_sum(doubt, "all", got["sum"], window, h)
    doubt.same("services", [(s["service"] or "", s["environment"] or "") for s in got["services"]], services)
    for row, place in zip(got["services"], services):
        judge_sum(doubt, f"service {place}", row, of(window, *place), h)
    doubt.same("scenarios", [(s["service"] or "", s["environment"] or "", s["scenario"]) for s in got["scenarios"]], places)
    for row, place in zip(got["scenarios"], places):
        states[place] = judge_scenario(doubt, f"scenario {place}", row, place, of(drills, *place), of(window, *place), h)

    def month(r):
        return datetime.datetime.fromtimestamp(r["began"] // 10**9, zone).strftime("%Y-%m")

    months = sorted({(subject(r)["service"], subject(r)["environment"], month(r)) for r in window})
    doubt.same("months", [(m["service"] or "", m["environment"] or "", m["month"]) for m in got["months"]], months)
    for row, (service, environment, when) in zip(got["months"], months):
        judge_sum(doubt, f"month {service} {when}", row, [r for r in of(window, service, environment) if month(r) == when], h, is_month=True)
    names = sorted({p[2] for p in places})
    doubt.same("names", got["coverage"]["scenarios"], names)
    doubt.same("coverage", got["coverage"]["services"], [
        {**name(*s), "states": [states.get((*s, n), "never tried") for n in names]} for s in services
    ])
    judge_flaky(doubt, got["flaky"], window, h)
    doubt.same("trend", [(p["run"]["run"], p["rto_kind"], p["rto_verdict"], p["declared_rto_ns"], p["rto"]) for p in got["trend"]], [
        (r["id"], KINDS[r["kind"]], VERDICTS[r["rto_verdict"]], subject(r)["rto"],
         {"low_ns": r["rto"][0], "high_ns": r["rto"][1]} if r["kind"] == SPAN else None) for r in window
    ])
    return doubt.problems


# ---- the worked example of docs/kpi.md ----


def read_example(page):
    """The rows of its table as a history; see there for what the columns say."""
    exits = {"met": MET, "missed": MISSED, "inconclusive": INCONCLUSIVE, "unhealed": UNHEALED, "stopped": STOPPED, "not started": NOT_STARTED}
    subjects, runs = [], []
    for row in re.findall(r"^\| (2026-.*) \|$", page, re.M):
        day, service, scenario, declared, ended, recovery = [cell.strip() for cell in row.split("|")]
        subject = {"service": service, "environment": "", "scenario": scenario, "title": scenario, "experiment": scenario,
                   "inventory": "i", "rto": round(float(declared.split()[0]) * 10**9), "rpo": None}
        if subject not in subjects:
            subjects.append(subject)
        took = re.fullmatch(r"([0-9.]+) to ([0-9.]+) s", recovery)
        kind = SPAN if took else {"no outage seen": NO_OUTAGE, "-": NOTHING}[recovery]
        began = int(datetime.datetime.fromisoformat(day + "T09:00:00+00:00").timestamp()) * 10**9
        runs.append({
            "id": f"run-{len(runs) + 1:02}", "subject": subjects.index(subject), "trial": 0, "began": began, "ended": began + 10 * 60 * 10**9,
            "is_ended": True, "exit": exits[ended], "harmed": ended != "not started", "kind": kind,
            "rto": tuple(round(float(t) * 10**9) for t in took.groups()) if took else (0, 0),
            "rto_verdict": {"met": 1, "missed": 2, "inconclusive": 3}.get(ended, 0), "known": False, "rpo": (0, 0), "lost": 0, "rpo_verdict": 0,
        })
    now = int(datetime.datetime.fromisoformat("2026-11-21T12:00:00+00:00").timestamp()) * 10**9
    return {"now": now, "since": 0, "stale": 90 * DAY, "confidence": 950000, "zone": "UTC", "service": None, "environment": None,
            "missing": 0, "subjects": subjects, "expected": [], "runs": runs}


def judge_example(program):
    page = pathlib.Path("docs/kpi.md").read_text(encoding="utf-8")
    history = read_example(page)
    shown = page.split("<!-- the report of the example -->\n```\n")[1].split("```\n")[0]
    got = ask(program, "text", write(history))[0]
    if len(history["runs"]) < 10 or got != shown:
        print(f"docs/kpi.md: the example of {len(history['runs'])} runs is not what is derived now:\n{got}")
        return False
    return not judge(history, json.loads(ask(program, "json", write(history))[0]))


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
    histories = [make_history(seed) for seed in range(count)]
    answers = ask(program, "json", "".join(write(h) for h in histories))
    agreed = 0
    for seed, (history, answer) in enumerate(zip(histories, answers, strict=True)):
        problems = judge(history, json.loads(answer))
        agreed += not problems
        for problem in problems[:5]:
            print(f"history {seed}: {problem}")
    is_example_right = judge_example(program)
    print(f"{agreed} of {count} agree; the worked example {'too' if is_example_right else 'does NOT'}")
    sys.exit(0 if agreed == count and is_example_right else 1)


main()
