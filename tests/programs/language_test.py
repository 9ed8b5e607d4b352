"""Every program text of the reference and of the README is accepted, or refused with the code it names, and what
they show of `explain` and `check` is what these print; VAEC_ACCEPT=1 writes that into the page."""
import os
import re

import executable
from executable import ROOT, call
from snippets import blocks

PAGES = ["README.md", "docs/language.md"]


def codes(text, letter):
    return sorted(set(re.findall(rf"\[({letter}\d{{4}})\]", text)))


def failures(page, folder, vaec):
    text = (ROOT / page).read_text()
    wrong, last, accepted, end = [], None, "", 0
    for block in blocks(text):
        where = f"{page}:{block.line}"
        if block.kind == "vae":
            (folder / block.file).write_text(block.text)
            last = block.file
            result = call(vaec, "check", block.file, cwd=folder)
            seen = (result.returncode, codes(result.stderr, "E"), codes(result.stderr, "W"))
            if seen != (1 if block.errors else 0, sorted(block.errors), block.warnings):
                wrong.append(f"{where}: exit {result.returncode}\n{result.stderr}")
        elif block.kind == "text" and block.words:
            result = call(vaec, *block.words, last, cwd=folder)
            printed = (result.stdout + result.stderr).strip() + "\n"
            if printed != block.text:
                wrong.append(f"{where}: this is not what `vaec {' '.join(block.words)}` prints\n{printed}")
            accepted += text[end:block.body[0]] + printed
            end = block.body[1]
    if os.environ.get("VAEC_ACCEPT") == "1":
        (ROOT / page).write_text(accepted + text[end:])
    return wrong


def test_snippets_do_what_their_page_says(folder, vaec):
    wrong = [failure for page in PAGES for failure in failures(page, folder, vaec)]
    assert not wrong, "\n".join(wrong)


def test_the_pages_have_snippets(folder, vaec):
    found = blocks((ROOT / "docs/language.md").read_text())
    assert sum(block.kind == "vae" and not block.errors for block in found) > 20
    assert sum(bool(block.errors) for block in found) > 10


def test_links_lead_somewhere(folder, vaec):
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/**/*.md")]:
        text = page.read_text()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page}: {target}"
        anchors = {re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
                   for line in text.splitlines() if line.startswith("#")}
        for anchor in re.findall(r"\]\(#([^)]+)\)", text):
            assert anchor in anchors, f"{page}: #{anchor}"


if __name__ == "__main__":
    executable.main(globals())
