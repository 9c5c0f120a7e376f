#!/usr/bin/env python3
"""injection.py - whatever stands where a name, a path or a word belongs, no shell reads it as code.

usage: injection.py FIREDRILL. Needs no root. Every text of the documents that comes near a shell is filled with
commands that would leave a file behind, in every way to break out of quotes, and goes through the real command line,
the real scripts and the real /bin/sh of this machine. It is refused with a sentence, or it arrives as it is; the file
is never there. How words pass through SSH is the business of test_remote_ssh.c.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

MARK = f"pwned{os.getpid()}"
# All that a shell knows, behind each kind of quote that may be open; the last are no commands but may be taken for options
# or patterns.
BREAKOUTS = [opening + f"$(touch {MARK})`touch {MARK}`;touch {MARK}|touch {MARK}&touch {MARK}&&touch {MARK} #" + opening
             for opening in ("", "'", '"', "'\"", "\\'", "$'\\''", ")", "}", "*?[a-z]~$HOME${IFS}!!%s\\n\\")]
# Refused wherever a shell script gets the word: they cannot be the name of anything.
NEVER = {"a line break": f"x\ntouch {MARK}\n", "a carriage return": f"x\rtouch {MARK}", "an escape": "x\x1b]0;title\x07",
         "an option": "-rf", "a long option": "--version", "nothing": ""}
results = []


def check(what, ok, why=""):
    results.append(bool(ok))
    if not ok or os.environ.get("VERBOSE"):
        print(("ok - " if ok else "not ok - ") + what + (f": {why}" if not ok else ""), flush=True)


class World:
    def __init__(self, firedrill):
        self.firedrill = firedrill
        self.folder = tempfile.mkdtemp(prefix="injection-")
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8",
                            "XDG_STATE_HOME": f"{self.folder}/state", "TMPDIR": self.folder}

    def run(self, *words):
        child = subprocess.run([self.firedrill, *words], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        return child.returncode, child.stdout.decode()

    def write(self, name, document):
        document = json.loads(json.dumps(document).replace("${", "$${"))
        path = f"{self.folder}/{name}.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)  # `$${` is how a document writes `${`
        return path

    def is_pwned(self):
        return [place for place in (self.folder, "/", os.getcwd()) if os.path.exists(os.path.join(place, MARK))]


def experiment(step=None, **more):
    document = {
        "title": "x", "inventory": "inventory.json", "objectives": {"availability": "1%"},
        "probes": {"steady": {"kind": "ssh.command", "on": "here", "every": "20ms", "timeout": "1s", "run": ["true"]}},
        "steady_state": {"good_for": "100ms", "within": "5s"}, "baseline": "100ms", "lease": "5s",
        "method": [step or {"fault": "process.kill", "on": "here", "with": {"name": "no such process"}}],
        "observe": {"stable_for": "100ms", "at_most": "1s"}, "settle": {"at_most": "1s"},
    }
    document.update(more)
    return document


def faults(world):
    """Fields of faults that scripts get as words."""
    fields = [("process.kill", "name", ""), ("process.pause", "name", ""), ("service.stop", "unit", ""),
              ("disk.fill", "path", world.folder + "/"), ("disk.freeze", "path", world.folder + "/")]
    for number, (fault, field, before) in enumerate(fields):
        def document(value):
            return experiment({"fault": fault, "on": "here", "with": {field: value}, **({} if fault == "process.kill" else {"for": "1s"})})
        for what, value in NEVER.items():
            # A path that begins with a folder begins with no dash.
            if before and value[:1] in ("-", ""):
                continue
            code, said = world.run("check", world.write("refused", document(before + value)))
            check(f"{fault}: {what} in `{field}` is refused", code == 2 and ".json:" in said, f"exit {code}: {said}")
        for breakout in BREAKOUTS[number % 2::2]:
            path = world.write("breakout", document(before + breakout))
            code, said = world.run("check", path)
            if code == 0:
                world.run("plan", path)
                code, said = world.run("run", path, "--yes", "--out", f"{world.folder}/out")
                # Nothing is called so: the fault fails, and the run with it, each with a word on what it looked for.
                check(f"{fault}: `{field}` arrives as it is", code in (3, 5, 7) and f"touch {MARK}" in " ".join(said.split()),
                      f"exit {code}: {said[:600]}")
            check(f"{fault}: {breakout!r} does nothing", not world.is_pwned(), f"it made a file in {world.is_pwned()}")


def partition(world):
    """What nft reads must not even reach it."""
    for field in ("peers", "ports"):
        for value in [*BREAKOUTS, *NEVER.values(), f"1; flush ruleset # {MARK}", "1, 2 } accept", "10.0.0.1 } ; drop {"]:
            path = world.write("partition", experiment({"fault": "net.partition", "on": "here", "with": {field: [value]}, "for": "1s"}))
            code, said = world.run("check", path)
            check(f"net.partition: {value!r} in `{field}` is refused", code == 2 and ".json:" in said, f"exit {code}: {said}")


def words(world):
    """Words of a command arrive as they are, one by one; so do the files of log.event."""
    probes = {}
    for number, breakout in enumerate([*BREAKOUTS, "-rf", "--version", "", f"x\ntouch {MARK}\n", "\t \u00e9\u202e", "x" * 5000]):
        probes[f"word{number}"] = {"kind": "ssh.command", "on": "here", "every": "250ms", "timeout": "5s",
                                   "run": ["printf", "<%s>", breakout], "contains": f"<{breakout}>"}
    for number, breakout in enumerate(BREAKOUTS):
        path = f"{world.folder}/{breakout}"
        with open(path, "w", encoding="utf-8") as file:
            file.write("x\n")
        probes[f"log{number}"] = {"kind": "log.event", "on": "here", "every": "100ms", "timeout": "2s", "file": path,
                                  "matches": "never", "says": breakout}
    path = world.write("words", experiment(probes=probes, steady_state={"good_for": "300ms", "within": "15s"},
                                            observe={"stable_for": "300ms", "at_most": "1s"}, title=BREAKOUTS[3], hypothesis=BREAKOUTS[1]))
    code, said = world.run("run", path, "--yes", "--out", f"{world.folder}/out")
    # Past the gate: every word was good there, for as long as it asks. The fault then finds nobody.
    check("words of commands arrive as they are", "no process named no such process" in " ".join(said.split()),
          f"exit {code}: {said[:2500]}")
    check("files of log.event are looked at", "cannot" not in said and "look at the log" not in said, said[:1500])
    check("words and files do nothing", not world.is_pwned(), f"made a file in {world.is_pwned()}")


def names(world):
    """Names of hosts, services, probes, labels and where a host is: refused, or nothing but names."""
    inventory = f"{world.folder}/inventory.json"
    for breakout in [*BREAKOUTS, *NEVER.values()]:
        documents = {
            "host": {"hosts": {breakout: {"local": True}}},
            "address": {"hosts": {"here": {"local": True}, "there": {"address": breakout}}},
            "user": {"hosts": {"here": {"local": True}, "there": {"address": "127.0.0.1", "user": breakout}}},
        }
        for what, document in documents.items():
            world.write("inventory", document)
            code, said = world.run("check", world.write("names", experiment()))
            check(f"{what} {breakout!r} is refused", code == 2 and ".json:" in said, f"exit {code}: {said}")
    world.write("inventory", {"hosts": {"here": {"local": True, "labels": {"x": BREAKOUTS[1]}}}})
    code, said = world.run("check", world.write("names", experiment()))
    check("a label may be anything", code == 0, said)
    assert os.path.exists(inventory)
    check("names do nothing", not world.is_pwned())


def main():
    world = World(os.path.realpath(sys.argv[1]))
    try:
        world.write("inventory", {"hosts": {"here": {"local": True}}})
        # A test that cannot fail proves nothing: a shell that reads one of these as code leaves the file.
        for quote, breakout in zip(("", "'", '"'), BREAKOUTS):
            subprocess.run(["sh", "-c", f"echo {quote}{breakout}{quote}"], cwd=world.folder, capture_output=True, check=False)
            check(f"the bait works in {quote or 'no quotes'}", world.is_pwned())
            os.unlink(f"{world.folder}/{MARK}")
        words(world)
        partition(world)
        faults(world)
        names(world)
    finally:
        shutil.rmtree(world.folder)
    failed = results.count(False)
    print(f"injection: {len(results) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
