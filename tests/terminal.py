#!/usr/bin/env python3
"""terminal.py - run a command on a pseudo-terminal of a given size and look at the live view.

usage: terminal.py COLUMNS ROWS COMMAND...

Plays the output back as a terminal does (wrapping, cursor up, erase line) and fails when anything of the
live view is still there at the end, or when the view was never drawn. Exit: 0 clean, 1 not.
It does not judge what the view says.
"""
import fcntl
import os
import pty
import re
import struct
import sys
import termios

MARKS = ("(the last", "Ctrl-C heals")  # of one run, of a suite


def run(columns, rows, argv):
    child, fd = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
        os.execvp(argv[0], argv)
    output = b""
    while True:
        try:
            piece = os.read(fd, 65536)
        except OSError:  # what Linux says when the other end is closed
            break
        if not piece:
            break
        output += piece
    os.waitpid(child, 0)
    return output.decode()


def play(output, columns, rows):
    """The lines of the screen and of all that scrolled off it."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\033\[[0-9;]*[A-Za-z]|.", output, re.S):
        if token == "\033[1A":
            row = max(row - 1, len(lines) - rows, 0)
        elif token == "\033[2K":
            lines[row] = ""
        elif token == "\r":
            column = 0
        elif token == "\n" or (token[0] != "\033" and column == columns):
            row, column = row + 1, 0 if token != "\n" else column
            if row == len(lines):
                lines.append("")
        if token not in "\r\n" and token[0] != "\033":
            lines[row] = lines[row].ljust(column)[:column] + token + lines[row][column + 1:]
            column += 1
    return lines


def main():
    columns, rows = int(sys.argv[1]), int(sys.argv[2])
    output = run(columns, rows, sys.argv[3:])
    left = [line for line in play(output, columns, rows) if any(mark in line for mark in MARKS)]
    was_drawn = any(mark in output for mark in MARKS)
    if not was_drawn:
        print("the live view was never drawn")
    for line in left[:3]:
        print("left on the screen:", line)
    sys.exit(1 if left or not was_drawn else 0)


if __name__ == "__main__":
    main()
