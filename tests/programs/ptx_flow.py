"""Finds the places in PTX where threads wait for others although they may have taken different ways.

All threads of a block must reach a barrier together. A branch divides the threads if its condition differs between
them: if it comes from the thread's number, or from memory that each reads at another address. Between such a branch
and the place where all its ways meet again, no thread may wait. The search errs on the side of caution: a register
that is written between the two counts as different in each thread."""
import re

WAITS = ("bar.", "barrier.", "shfl.", "vote.", "activemask", "match.", "redux.")
LABEL = re.compile(r"^(\$\w+):")
BRANCH = re.compile(r"^(?:@!?(%\w+)\s+)?bra(?:\.uni)?\s+(\$\w+);")
REGISTER = re.compile(r"%[a-z]+\d+")
OWN = ("%tid", "%laneid", "%warpid", "%clock")


def kernels(text):
    """The instructions of each function, by its name."""
    found = {}
    for head, body in re.findall(r"^((?:\.visible )?(?:\.entry|\.func)[^{;]*?)^\{(.*?)^\}", text, re.M | re.S):
        name = re.search(r"([\w$]+)\s*\(", re.sub(r"\.func\s+\([^)]*\)", ".func ", head)).group(1)
        lines = [line.split("//")[0].strip() for line in re.sub(r"\(\s+|,\s*\n\s*", lambda m: m[0].replace("\n", " "),
                                                                body).splitlines()]
        found[name] = [line for line in lines if line and not line.startswith((".", "{", "}", ")"))]
    return found


class Flow:
    """The basic blocks of a function: lists of instructions, and the blocks that may follow."""

    def __init__(self, instructions):
        self.blocks, names = [[]], {}
        for line in instructions:
            label = LABEL.match(line)
            if label:
                self.blocks.append([])
                names[label.group(1)] = len(self.blocks) - 1
                continue
            self.blocks[-1].append(line)
            if BRANCH.match(line) or line.startswith(("ret", "trap", "exit")):
                self.blocks.append([])
        self.end = len(self.blocks)
        self.next = []
        for number, block in enumerate(self.blocks):
            last = block[-1] if block else ""
            branch = BRANCH.match(last)
            following = [] if (branch and not branch.group(1)) or last.startswith(("ret", "trap", "exit")) else [number + 1]
            if branch:
                following.append(names[branch.group(2)])
            self.next.append(following or [self.end])
        self.after = self.post_dominators()

    def post_dominators(self):
        everything = set(range(self.end + 1))
        after = [everything] * self.end + [{self.end}]
        changed = True
        while changed:
            changed = False
            for number in reversed(range(self.end)):
                new = set.intersection(*(after[following] for following in self.next[number])) | {number}
                changed, after[number] = changed or new != after[number], new
        return after

    def divided_by(self, number):
        """The blocks between a branch and the nearest place where all its ways have met."""
        met = self.after[number] - {number}
        found, waiting = set(), list(self.next[number])
        while waiting:
            block = waiting.pop()
            if block not in met and block not in found and block != self.end:
                found.add(block)
                waiting += self.next[block]
        return found


def written_and_read(line):
    """The registers that an instruction writes and those that it reads."""
    plain = re.sub(r"^@!?%\w+\s+", "", line)
    guard = REGISTER.findall(line[:len(line) - len(plain)])
    operation = plain.split()[0] if plain else ""
    if operation.startswith(("st.", "bar", "red.", "membar", "bra", "ret", "call", "prefetch")):
        return [], guard + REGISTER.findall(plain)
    target, _, sources = plain.partition(", ") if "{" not in plain.split(",")[0] else plain.partition("},")
    return REGISTER.findall(target), guard + REGISTER.findall(sources)


def waits_of_divided_threads(instructions):
    """The instructions that wait for other threads where threads may have taken different ways."""
    flow = Flow(instructions)
    different, divided = set(), set()
    while True:
        before = len(different), len(divided)
        for number, block in enumerate(flow.blocks):
            for line in block:
                written, read = written_and_read(line)
                own = any(word in line for word in OWN) or line.startswith("atom.") or "retval" in line
                if own or number in divided or different.intersection(read):
                    different.update(written)
            branch = BRANCH.match(block[-1]) if block else None
            if branch and branch.group(1) in different:
                divided |= flow.divided_by(number)
        if before == (len(different), len(divided)):
            break
    return [line for number in sorted(divided) for line in flow.blocks[number] if line.startswith(WAITS)]
