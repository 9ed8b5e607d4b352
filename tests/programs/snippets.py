"""The program texts in a Markdown page, made whole. A block ```vae is a file; `error=CODE` or `warning=CODE` beside
it says what vaec answers, `file=NAME` what it is called. `<!-- prelude NAME ... -->` defines what `<!-- with NAME -->`
puts before the next block, or around it where a line of the prelude is `...`. A block ```text COMMAND holds what
`vaec COMMAND` prints of the block before it; ```console holds commands after `$ ` and what they print."""
import re
from dataclasses import dataclass, field

FENCE = re.compile(r"<!-- prelude (\w+)\n(?P<prelude>.*?)^-->$|<!-- with (?P<with>\w+) -->\n"
                   r"|^(?P<indent> *)```(?P<kind>\w+)(?P<words>[^\n]*)\n(?P<body>.*?)^(?P=indent)```$",
                   re.M | re.S)


@dataclass
class Block:
    kind: str
    line: int
    text: str
    words: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    file: str = "model.vae"
    body: tuple = (0, 0)  # its lines in the page


def blocks(page):
    """In order; the text of a `vae` block is the whole file."""
    preludes, found, around = {}, [], None
    for match in FENCE.finditer(page):
        if match["prelude"] is not None:
            preludes[match[1]] = match["prelude"]
        elif match["with"]:
            around = preludes[match["with"]]
        else:
            indent = len(match["indent"])
            text = "".join(line[indent:] for line in match["body"].splitlines(True))
            block = Block(match["kind"], page.count("\n", 0, match.start("kind")) + 1, text, match["words"].split(),
                          body=match.span("body"))
            for word in [word for word in block.words if "=" in word]:
                key, value = word.split("=")
                if key == "file":
                    block.file = value
                else:
                    getattr(block, key + "s").extend(value.split(","))
            if block.kind == "vae" and around is not None:
                hole = re.search(r"^ *\.\.\.\n", around, re.M)
                block.text = (around[:hole.start()] + text + around[hole.end():]) if hole else around + text
            around = None
            found.append(block)
    return found
