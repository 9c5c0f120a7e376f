"""check_report.py DIR... - reads every report in the directories with parsers that are not ours.

XML and JSON must parse, JSON must fit its schema in docs/ (chosen by its `format`), HTML must be balanced, free of
scripts and of references to anything outside the file. Prints what is wrong; exit 1 then.
"""

import html.parser
import json
import pathlib
import re
import sys
import xml.etree.ElementTree

VOID = {"meta", "br", "hr", "img", "link", "input", "col", "wbr"}
ALLOWED = set(
    "html head meta title style body main header footer section article h1 h2 h3 p div span strong em b code small"
    " table caption thead tbody tr th td ul ol li dl dt dd details summary figure figcaption time mark abbr br a"
    " svg g desc rect line path polyline polygon circle ellipse text tspan".split()
)
# What GitLab's documentation asks of a code quality report.
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object", "additionalProperties": False,
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"}, "check_name": {"type": "string"}, "fingerprint": {"type": "string"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object", "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer"}}},
                },
            },
        },
    },
}
problems = []


def problem(path, words):
    problems.append(f"{path}: {words}")


class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.path, self.open, self.ids, self.refs = path, [], set(), []

    def handle_starttag(self, tag, attributes):
        if tag not in ALLOWED:
            problem(self.path, f"element <{tag}> is not one of ours")
        for name, value in attributes:
            value = value or ""
            if name.startswith("on"):
                problem(self.path, f"attribute {name} would run a script")
            if name in ("src", "href", "xlink:href", "srcset", "action", "data", "poster") and not value.startswith("#"):
                problem(self.path, f"{name}={value!r} refers to something outside the file")
            if "url(" in value or "javascript:" in value:
                problem(self.path, f"{name}={value!r} refers to something outside the file")
            if name == "id" and value in self.ids:
                problem(self.path, f"id {value!r} twice")
            if name == "id":
                self.ids.add(value)
            if name in ("aria-labelledby", "aria-describedby"):
                self.refs += value.split()
            if name == "href":
                self.refs.append(value[1:])
        if tag == "th" and not any(name == "scope" for name, _ in attributes):
            problem(self.path, "a th without scope")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            problem(self.path, f"</{tag}> closes {self.open[-1:]} at {self.getpos()}")
        else:
            self.open.pop()

    def finish(self):
        self.close()
        if self.open:
            problem(self.path, f"never closed: {self.open}")
        for ref in self.refs:
            if ref not in self.ids:
                problem(self.path, f"refers to #{ref}, which is not there")


def check_html(path, text):
    page = Page(path)
    page.feed(text)
    page.finish()
    css = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    if "url(" in css or "@import" in css:
        problem(path, "the style sheet refers to something outside the file")
    for needed in ("<title>", 'name="viewport"', "prefers-color-scheme: dark", "@media print", "lang="):
        if needed not in text:
            problem(path, f"{needed} is missing")


def fits(value, schema, root, where, path):
    """The part of JSON Schema that docs/schema-*.json use."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}
    allowed = schema.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    if allowed and not any(isinstance(value, types[t]) and (t != "integer" or value is not True) for t in allowed):
        problem(path, f"{where} is {type(value).__name__}, not {allowed}")
        return
    if "enum" in schema and value not in schema["enum"]:
        problem(path, f"{where} is {value!r}, not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        problem(path, f"{where} is {value!r}, not {schema['const']!r}")
    if isinstance(value, dict) and "properties" in schema:
        for key in schema.get("required", []):
            if key not in value:
                problem(path, f"{where}.{key} is missing")
        for key, member in value.items():
            if key in schema["properties"]:
                fits(member, schema["properties"][key], root, f"{where}.{key}", path)
            elif not schema.get("additionalProperties", True):
                problem(path, f"{where}.{key} is not in the schema")
    if isinstance(value, list) and "items" in schema:
        for i, member in enumerate(value):
            fits(member, schema["items"], root, f"{where}[{i}]", path)


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key twice in {keys}")
    return dict(pairs)


def check_file(path, schemas):
    raw = path.read_bytes()
    if path.suffix == ".png":
        return
    text = raw.decode("utf-8")  # raises when a report is not UTF-8
    if path.suffix == ".xml":
        suites = xml.etree.ElementTree.fromstring(text)
        cases = suites.findall(".//testcase")
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            for suite in [suites, *suites.findall("testsuite")]:
                said = suite.get(name)
                if said is None and suite is suites and name == "skipped":
                    continue
                if int(said) != len(suite.findall(f".//{tag}")):
                    problem(path, f"{name} says {said}, but there are others")
        if int(suites.get("tests")) != len(cases) or not cases:
            problem(path, "the count of test cases is wrong")
    elif path.suffix == ".json":
        value = json.loads(text, object_pairs_hook=no_duplicates)
        schema = CODE_QUALITY if isinstance(value, list) else schemas[value["format"]]
        fits(value, schema, schema, "$", path)
    elif path.suffix == ".html":
        check_html(path, text)
    if path.suffix in (".txt", ".md") and re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text):
        problem(path, "a control character got through")


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    schemas = [json.loads(file.read_text()) for file in (here / "docs").glob("schema-*.json")]
    schemas = {schema["properties"]["format"]["const"]: schema for schema in schemas}
    seen = 0
    for folder in sys.argv[1:]:
        for path in sorted(file for file in pathlib.Path(folder).iterdir() if file.is_file()):
            seen += 1
            try:
                check_file(path, schemas)
            except Exception as mistake:  # a parser's own words are the finding
                problem(path, f"{type(mistake).__name__}: {mistake}")
    if seen == 0:
        problem(sys.argv[1:], "no report to check")
    print("\n".join(problems))
    return 1 if problems else 0


sys.exit(main())
