#!/usr/bin/env python3
"""doubt_bundle.py - alter a real bundle in every way that one hand can, and see `verify` name each one.

usage: doubt_bundle.py FIREDRILL BUNDLE SEED

Reads the archive with nothing of ours: every member gets one flipped byte in its header, one in its bytes and one
in its padding, at offsets drawn from the seed; so does the end of the archive. Then it is cut, made longer, put in
another order, given a member twice; and its reports are rewritten, with every hash of the manifest made to fit, as
is the result. Each must end with exit 1 and name the place. Prints one line for what was not named, and a count.
"""
import hashlib
import random
import subprocess
import sys
import tempfile

BLOCK = 512
firedrill, bundle, seed = sys.argv[1:]
whole = open(bundle, "rb").read()
dice = random.Random(int(seed))
scratch = tempfile.NamedTemporaryFile(suffix=".tar")
tried, missed = 0, []


def members(data):
    """(name, header offset, size) of each member, and where the end begins."""
    at, found = 0, []
    while data[at:at + BLOCK].strip(b"\0"):
        header = data[at:at + BLOCK]
        found.append((header[:100].rstrip(b"\0").decode(), at, int(header[124:135], 8)))
        at += BLOCK + (found[-1][2] + BLOCK - 1) // BLOCK * BLOCK
    return found, at


def must_name(data, *words):
    global tried
    tried += 1
    scratch.seek(0)
    scratch.truncate()
    scratch.write(data)
    scratch.flush()
    ended = subprocess.run([firedrill, "verify", scratch.name], capture_output=True, text=True)
    said = ended.stdout + ended.stderr
    if ended.returncode != 1 or not all(word in said for word in words):
        missed.append(f"exit {ended.returncode}, wanted 1 and {words}: {said.strip().splitlines()[-1:]}")


def flip(at, *words):
    must_name(whole[:at] + bytes([whole[at] ^ 1 << dice.randrange(8)]) + whole[at + 1:], *words)


def packed(name, data):
    """One member as the bundle has it: its header again with another size and checksum."""
    header = bytearray(next(whole[at:at + BLOCK] for n, at, _ in found if n == name))
    header[124:136] = b"%011o\0" % len(data)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data + b"\0" * (-len(data) % BLOCK)


def rebuilt(changes):
    """The bundle with other bytes in some members, and a manifest that fits them."""
    _, at, size = found[0]
    lines = whole[at + BLOCK:at + BLOCK + size].decode().splitlines()
    data = {n: changes.get(n, whole[a + BLOCK:a + BLOCK + s]) for n, a, s in found[1:]}
    names = [line[66:] for line in lines if not line.startswith("#")]
    text = "".join(f"{hashlib.sha256(data[name]).hexdigest()}  {name}\n" for name in names)
    manifest = f"{text}# {hashlib.sha256(text.encode()).hexdigest()}  the lines above\n".encode()
    members = [packed(found[0][0], manifest)] + [packed(name, data[name]) for name in names]
    return b"".join(members) + b"\0" * 2 * BLOCK


found, end = members(whole)
for name, at, size in found:
    flip(at + dice.randrange(BLOCK), name)
    if size > 0:
        flip(at + BLOCK + dice.randrange(size), name)
    if size % BLOCK:
        flip(at + BLOCK + size + dice.randrange(-size % BLOCK), name)
for _ in range(3):
    flip(end + dice.randrange(len(whole) - end), "the end of the archive")
for _ in range(8):
    must_name(whole[:dice.randrange(1, len(whole))], "check the bundle")
for more in (b"\0", b"\0" * BLOCK, whole[found[1][1]:found[2][1]]):
    must_name(whole + more, "that do not belong there")
(_, a, _), (_, b, _), (_, c, _) = found[1:4]
must_name(whole[:a] + whole[b:c] + whole[a:b] + whole[c:], found[1][0])
must_name(whole[:b] + whole[a:b] + whole[b:], found[2][0])
must_name(whole[:a] + whole[b:], found[1][0])

if rebuilt({}) != whole:
    sys.exit("this test cannot put the bundle together again")
for name, at, size in found:
    if not name.startswith("report/"):
        continue
    text = whole[at + BLOCK:at + BLOCK + size]
    digits = [i for i, byte in enumerate(text) if chr(byte).isdigit()]
    place = dice.choice(digits)
    other = text[:place] + bytes([ord("0") + (text[place] - ord("0") + 1) % 10]) + text[place + 1:]
    must_name(rebuilt({name: other}), f"{name.split('/')[1]} differs from line {text[:place].count(10) + 1} (byte {place + 1})")
run = next(whole[at + BLOCK:at + BLOCK + size] for name, at, size in found if name == "run.json")
must_name(rebuilt({"run.json": run.replace(b'"exit_code":0', b'"exit_code":1')}), "its result is not as it was written")
head = run.index(b'"head":"') + 8
must_name(rebuilt({"run.json": run[:head] + b"0" * 64 + run[head + 64:]}), "run.json has 0000")

for line in missed:
    print(line)
print(f"{tried - len(missed)} of {tried} alterations named (seed {seed})")
sys.exit(1 if missed else 0)
