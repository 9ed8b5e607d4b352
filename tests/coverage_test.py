#!/usr/bin/env python3
"""Checks that a golden test shows every diagnostic of the compiler, that docs/diagnostics.md explains it, and that a
test names every operation."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def not_explained(table):
    """The places where docs/diagnostics.md differs from the table. Its items are `- **CODE** message — meaning`, in
    the order of the codes."""
    messages = {code: message.replace("{}", "…").replace("{{", "{").replace("}}", "}").replace('\\"', '"')
                for code, message in re.findall(r'^DIAGNOSTIC\((\w+), \w+, "(.*)"\)$', table, re.M)}
    # An item may be several lines long.
    page = re.sub(r"\n +", " ", (ROOT / "docs/diagnostics.md").read_text())
    rows = re.findall(r"^- \*\*([EW]\d{4})\*\* (.*?) — (.*)$", page, re.M)
    shown = {code: message for code, message, meaning in rows if meaning.strip()}
    wrong = [f"docs/diagnostics.md: {code} should read: {message}" for code, message in messages.items()
             if shown.get(code) != message]
    wrong += [f"docs/diagnostics.md: there is no {code}" for code in shown if code not in messages]
    if [code[1:] for code, *_ in rows] != sorted(code[1:] for code in messages):
        wrong.append("docs/diagnostics.md: each code once, in order")
    return wrong


def main():
    table = (ROOT / "compiler/base/diagnostics.def").read_text()
    codes = re.findall(r"^DIAGNOSTIC\((\w+),", table, re.M)
    # Programs that are too long for a file of their own are made by a test.
    shown = "".join(path.read_text(errors="replace") for pattern in ("*.expected", "long_programs_test.py")
                    for path in TESTS.rglob(pattern))
    missing = [f"diagnostic {code} is in no golden test" for code in codes if f"[{code}]" not in shown]

    missing += not_explained(table)

    tests = "".join(path.read_text(errors="replace") for path in TESTS.rglob("*")
                    if path.suffix in (".cpp", ".vae", ".py") and path.name != "coverage_test.py")
    # Tests of element-wise operations go through runtime/schema/elementwise.def.
    operations = re.findall(r"^OPERATION\((\w+),", (ROOT / "compiler/semantics/graph/operations.def").read_text(), re.M)
    missing += [f"operation {name} is in no test" for name in operations if not re.search(rf"\b{name}\b", tests)]
    print("\n".join(missing))
    return 1 if missing or not codes or not operations else 0


if __name__ == "__main__":
    sys.exit(main())
