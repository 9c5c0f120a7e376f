#!/usr/bin/env python3
"""terminal_width.py - run a command on a pseudo-terminal and see that no line is wider than it.

usage: terminal_width.py COLUMNS COMMAND...

Exit: 0 every line fits, 1 not, or the command failed or said nothing. A word that is longer than the
terminal is wide must be broken, too: what runs past the edge is wrapped by the terminal, unindented.
"""
import sys

from terminal import run

columns = int(sys.argv[1])
lines = run(columns, 24, sys.argv[2:]).replace("\r", "").splitlines()
wide = [line for line in lines if len(line) > columns]
print("\n".join(wide))
sys.exit(1 if wide or len(lines) < 3 else 0)
