#!/usr/bin/python3
"""github_log.py - reads a step's log as the runner of GitHub Actions does, and prints every command that it would obey.

`::name key=value,...::data` counts at the beginning of a line, `##[name key=value;...]data` anywhere in one;
after ::stop-commands::TOKEN nothing counts but ::TOKEN::. Written from the documentation of workflow commands, not from
what firedrill prints. One line a command: its name, its properties and its data, decoded.
"""

import re
import sys

stopped_with = None
for line in sys.stdin.buffer.read().decode("utf-8", "replace").split("\n"):
    line = line.lstrip()
    second = re.match(r"::([A-Za-z0-9_-]+)(?: ([^:]*))?::(.*)", line, re.S)
    first = re.search(r"##\[([a-z-]+)(?: ([^\]]*))?\](.*)", line)
    if stopped_with is not None:
        if second and second[1] == stopped_with:
            stopped_with = None
        continue
    if not second and not first:
        continue
    name, properties, data = (second or first).groups()
    if second and name == "stop-commands":
        stopped_with = data
        continue

    def decode(text):
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, character)
        return text

    decoded = {key: decode(value) for key, _, value in (part.partition("=") for part in (properties or "").split(",") if part)}
    print(name, decoded, repr(decode(data)) if name != "endgroup" else "")
if stopped_with is not None:
    print("commands were never switched on again")
