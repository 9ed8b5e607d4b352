#!/usr/bin/env python3
"""Checks that all texts use one vocabulary. Retired words occur in no page, message, help text, .vae file, comment or
name of the code. A value in C++ is not named by a preposition or a pronoun. No line of Markdown is longer than 120
columns, except in blocks that show what vaec prints.  usage: words_test.py VAEC"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/programs"))
from executable import SMALL_MODEL  # noqa: E402: its folder was not known before

LONGEST = 120
# Each retired word, and the word to use instead.
RETIRED = {
    r"climb(s|ed|ing)?": "maximize, or rise",
    r"givers?": "the player that draws it, or sampler",
    r"lack(s|ed|ing)?": "has no, or missing",
    r"(un)?remember(s|ed|ing)?": "cache, or keep",
    r"dreams?": "generated",
    r"rooms?": "module for code, space or memory for what must fit",
    r"(driver|GPU) that is none": "fake CUDA driver",
    r"heavy": "library operation, or large",
    r"author's word": "chosen by `complete`",
    r"but for|be it": "except, whether",
    r"another way in": "an argument of `from`",
}
PATTERN = re.compile(r"\b(" + "|".join(f"(?:{word})" for word in RETIRED) + r")\b", re.I)


def replacement(word):
    return next(instead for pattern, instead in RETIRED.items() if re.fullmatch(pattern, word, re.I))


def retired_words(where, text):
    for number, line in enumerate(text.splitlines(), 1):
        for match in PATTERN.finditer(line):
            yield f"{where}:{number}: `{match[0]}` is retired; say: {replacement(match[0])}"


# Pages that are not in the repository: a reader cannot look them up.
ABSENT = re.compile(r"\b(METHODS|(LANGUAGE|DESIGN|STYLE)\.md)\b")


def absent_pages(where, text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := ABSENT.search(line):
            yield f"{where}:{number}: `{match[1]}` is not in the repository: name a page of docs/"


def long_lines(where, text):
    printed = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            printed = not printed and re.match(r"```text (check|explain)", line) is not None
        elif len(line) > LONGEST and not printed:
            yield f"{where}:{number}: {len(line)} columns, {LONGEST} at most"


def words(source):
    """Splits names into words, so that each word is checked where it stands: `rows_at_once` is three words,
    `RowSpace` two."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", source.replace("_", " "))


# A value must not be named by a preposition or a pronoun. A function may: `parameters.of(player)`.
UNNAMED = re.compile(r"[\w>&*\]] (of|one|some)(?=( =|;|,|\)| :))")


def unnamed_values(where, source):
    for number, line in enumerate(source.splitlines(), 1):
        code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).split("//")[0]
        if match := UNNAMED.search(code):
            yield f"{where}:{number}: a value is called `{match[1]}`: say what it is"


def commands(program):
    """The commands that `program --help` lists under "Commands"."""
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  (\w+) ", text.partition("Commands:")[2], re.M)


def help_texts(program):
    for command in [[], *([name] for name in commands(program))]:
        words = [*command, "--help"]
        yield " ".join([pathlib.Path(program).name, *words]), subprocess.run(
            [program, *words], capture_output=True, text=True, check=True).stdout


def files(*patterns):
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            if not path.relative_to(ROOT).parts[0].startswith(("build", "runs")):
                yield path.relative_to(ROOT), path.read_text()


def faults(vaec):
    for path, text in files("*.md", "*/*.md", "*/*/*.md", ".github/**/*.md"):
        yield from retired_words(path, text)
        yield from long_lines(path, text)
    for path, text in files("stdlib/*.vae", "examples/*/*.vae"):
        yield from retired_words(path, text)
    for folder in ("compiler", "runtime", "tests", "python", "packaging"):
        for path, text in files(*(f"{folder}/**/*.{kind}" for kind in ("cpp", "h", "def", "py", "ir", "txt"))):
            if path.name != "words_test.py":
                yield from retired_words(path, words(f"{text}\n{path.stem}"))
                yield from absent_pages(path, text)
    for path, text in files("compiler/**/*.cpp", "compiler/**/*.h", "runtime/**/*.cpp", "runtime/**/*.h"):
        yield from unnamed_values(path, text)
    with tempfile.TemporaryDirectory() as folder:
        model, exe = pathlib.Path(folder, "model.vae"), pathlib.Path(folder, "model")
        model.write_text(SMALL_MODEL)
        subprocess.run([vaec, "build", model, "-o", exe], check=True)
        for program in (vaec, str(exe)):
            texts = list(help_texts(program))
            if len(texts) < 6:
                yield f"{program}: only {len(texts)} help texts were found"
            for where, text in texts:
                yield from retired_words(where, text)


def self_test():
    """The check itself must find each kind of fault, and nothing else."""
    page = "Rows that lack values.\n" + "x" * 121 + "\n```text check\n" + "y" * 121 + "\n```\nA black box, a slacker.\n"
    source = 'int rooms;\n// a room\nfail("no room");\nclass LargeRoom;\nint make_room();\nint mushrooms;\n'
    return (len(list(retired_words("page", page))) == 1 and len(list(long_lines("page", page))) == 1
            and len(list(retired_words("source", words(source)))) == 5
            and len(list(absent_pages("source", "// METHODS section 3\n// methods.md\n"))) == 1
            and len(list(unnamed_values("source", "for (const Row& one : rows) f(one); // of =\nint64_t of(int);"))) == 1)


if __name__ == "__main__":
    found = list(faults(sys.argv[1]))
    if not self_test():
        found.append("the check does not see what it must refuse")
    print("\n".join(found))
    sys.exit(1 if found else 0)
