#!/usr/bin/env python3
"""stuck_terminal.py - somebody halts the terminal (Ctrl-S) while a fault is on: the run goes on and heals.

usage: stuck_terminal.py VICTIM_PID SECONDS COMMAND...

Runs the command on a pseudo-terminal. As soon as the victim is stopped the terminal takes nothing more; SECONDS
later at most the victim must be going on again. Then the terminal goes on, too, and the command ends. Exit: the
command's, or 99 when the victim was never stopped, 98 when it was not healed in time.
"""
import os
import pty
import select
import sys
import time

CTRL_S, CTRL_Q = b"\x13", b"\x11"


def is_stopped(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(") ", 1)[1][0] == "T"


def read_until(fd, is_over, seconds):
    """Reads what comes, so that only Ctrl-S can halt it. False: seconds have passed."""
    end = time.monotonic() + seconds
    fds = [fd]
    while not is_over():
        if time.monotonic() > end:
            return False
        if select.select(fds, [], [], 0.02)[0]:
            try:
                os.read(fd, 65536)
            except OSError:  # what Linux says when the other end is closed
                fds = []
    return True


def main():
    victim, seconds, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    child, fd = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execvp(command[0], command)
    code = 99
    if read_until(fd, lambda: is_stopped(victim), 30):
        os.write(fd, CTRL_S)
        code = 0 if read_until(fd, lambda: not is_stopped(victim), seconds) else 98
        os.write(fd, CTRL_Q)
    ended = []

    def has_ended():
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == child:
            ended.append(os.waitstatus_to_exitcode(status))
        return bool(ended)

    read_until(fd, has_ended, 30)
    if not ended:
        os.kill(child, 9)
        os.waitpid(child, 0)
    return code or (ended[0] if ended else 97)


sys.exit(main())
