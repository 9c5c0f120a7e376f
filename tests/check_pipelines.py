"""check_pipelines.py FIREDRILL SUITE - the ready files of packaging/ci are true: they parse, and each firedrill command in them is
one that the program understands: every option is in its --help, and with --dry-run on that suite it ends with 0."""

import pathlib
import re
import shlex
import subprocess
import sys

import yaml

firedrill, suite = sys.argv[1:]
folder = pathlib.Path(__file__).resolve().parent.parent / "packaging" / "ci"
known = set(re.findall(r"^  (--[a-z-]+)", subprocess.run([firedrill, "run", "--help"], capture_output=True, text=True).stdout, re.M))
problems = []
checked = 0


def texts(value):
    """Every text in a document, however deep."""
    if isinstance(value, dict):
        for child in value.values():
            yield from texts(child)
    elif isinstance(value, list):
        for child in value:
            yield from texts(child)
    elif isinstance(value, str):
        yield value


def commands(path):
    if path.suffix == ".yml":
        sources = list(texts(yaml.safe_load(path.read_text())))
    else:
        sources = [re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)]
    for source in sources:
        for line in source.replace("\\\n", " ").split("\n"):
            found = re.search(r"(?:^|\s)(firedrill run .*)", line)
            if found:
                yield shlex.split(found[1])


for path in sorted(folder.iterdir()):
    own = list(commands(path))
    if not own:
        problems.append(f"{path.name}: no firedrill command in it")
    for words in own:
        checked += 1
        options = [word for word in words if word.startswith("--")]
        problems += [f"{path.name}: run has no option {word}" for word in options if word.split("=")[0] not in known]
        # What the pipeline's shell would fill in is left out; the folder is this test's.
        words = [suite if word.endswith("/") and word == "experiments/" else word for word in words if "$" not in word]
        done = subprocess.run([firedrill, *words[1:], "--dry-run"], capture_output=True, text=True)
        if done.returncode != 0:
            problems.append(f"{path.name}: {words} ended with {done.returncode}: {done.stderr}")
print("\n".join(problems) or f"{checked} commands are true")
sys.exit(1 if problems or checked == 0 else 0)
