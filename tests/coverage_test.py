#!/usr/bin/env python3
"""Every diagnostic of the compiler is shown by a golden test, and every operation is named in a test."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"


def main():
    table = (ROOT / "compiler/base/diagnostics.def").read_text()
    codes = re.findall(r"^DIAGNOSTIC\((\w+),", table, re.M)
    shown = "".join(path.read_text(errors="replace") for path in TESTS.rglob("*.expected"))
    missing = [f"diagnostic {code} is in no golden test" for code in codes if f"[{code}]" not in shown]

    tests = "".join(path.read_text(errors="replace") for path in TESTS.rglob("*")
                    if path.suffix in (".cpp", ".vae", ".py") and path.name != "coverage_test.py")
    operations = re.findall(r"^OPERATION\((\w+),", (ROOT / "compiler/semantics/operations.def").read_text(), re.M)
    missing += [f"operation {name} is in no test" for name in operations if not re.search(rf"\b{name}\b", tests)]
    print("\n".join(missing))
    return 1 if missing or not codes or not operations else 0


if __name__ == "__main__":
    sys.exit(main())
