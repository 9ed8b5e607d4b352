#!/usr/bin/env python3
"""Compares what vaec prints for one .vae file with the .expected file beside it. VAEC_ACCEPT=1 rewrites the .expected
file.

usage: golden_test.py VAEC FILE.vae [FORMAT]
The folder of the file decides what runs: tests/golden/STAGE prints that stage, tests/errors checks the file. A line
`// run: ARGUMENTS` near the top of the file replaces the arguments. FILE.FORMAT.expected holds the output of
`explain --format FORMAT`. The text that is compared is stdout, then stderr, then `exit: N`.
"""
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys

STAGES = {"game": ["explain", "--format", "json"]}


def arguments(path, text):
    given = re.search(r"^// run: (.*)$", text, re.M)
    if given:
        return given.group(1).split()
    stage = path.parent.name
    if path.parent.parent.name == "golden":
        return STAGES.get(stage, ["check", f"--emit={stage}"])
    return ["check"]


def one_fact_a_line(game):
    """The JSON of `explain` with one fact on each line, so that it is easy to read. It is still valid JSON."""
    def record(entry):
        return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entry.items()) + "}"
    lists = {key: "[" + ", ".join(map(record, game[key])) + "]" for key in ("sources", "players")}
    rest = {key: json.dumps(value) for key, value in game.items() if key not in lists}
    return "{" + ",\n".join(f"{json.dumps(key)}: {value}" for key, value in {**lists, **rest}.items()) + "}\n"


def main():
    vaec, path = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    explained = sys.argv[3] if len(sys.argv) > 3 else None
    given = ["explain", "--format", explained] if explained else arguments(path, path.read_text(errors="replace"))
    command = [vaec, *given, path.name]
    result = subprocess.run(command, cwd=path.parent, capture_output=True, timeout=60)
    out = result.stdout.decode(errors="replace")
    if path.parent.name == "game" and not explained and result.returncode == 0:
        out = one_fact_a_line(json.loads(out))
    seen = out + result.stderr.decode(errors="replace") + f"exit: {result.returncode}\n"
    expected_path = path.with_suffix(f".{explained}.expected" if explained else ".expected")
    if result.returncode not in (0, 1, 64, 65, 66, 73, 78):
        print(f"{path.name}: unexpected exit code\n{seen}")
        return 1
    if os.environ.get("VAEC_ACCEPT") == "1":
        expected_path.write_text(seen)
        return 0
    if not expected_path.exists():
        print(f"{expected_path} is missing; VAEC_ACCEPT=1 writes it")
        return 1
    expected = expected_path.read_text()
    if seen == expected:
        return 0
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), seen.splitlines(True), "expected", "seen"))
    return 1


if __name__ == "__main__":
    sys.exit(main())
