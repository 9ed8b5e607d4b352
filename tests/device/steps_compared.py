"""Checks that training steps on the GPU equal those on the processor. Every learn block of the packed programs trains
for some steps on both, with the same draws. Then parameters and terms are compared."""
import json
import math
import struct

import torch
from place import say

# How far the parameters of a tensor may differ between GPU and CPU, relative to how far they moved in the
# second half of the steps (2-norms). Elements are not compared one by one: Adam divides a gradient by its own
# size. A parameter whose gradient is only rounding error therefore moves by the whole rate, in either
# direction. Rounding gives about 1e-6, with Adam up to 1e-2. Draws with the same seed may differ where |u -
# p| < 1e-5; different draws give 1.
TOLERANCE = 0.1
OF_TERMS = 0.01  # relative to the term, or to 1 if the term is smaller
MISSING_INPUT = 66


def values(path):
    """Returns a dict from the name of a tensor to its values."""
    content = bytearray(path.read_bytes())
    data = 8 + struct.unpack("<Q", content[:8])[0]
    floats = torch.frombuffer(content, dtype=torch.float32, offset=data) if len(content) > data else torch.empty(0)
    return {name: floats[entry["data_offsets"][0] // 4:entry["data_offsets"][1] // 4]
            for name, entry in json.loads(content[8:data]).items() if name != "__metadata__"}


def norm(values):
    return torch.linalg.vector_norm(values).item()


def difference(gpu, cpu, steps):
    """The largest difference of any tensor, and the largest difference of any term of the last step."""
    def parameters(run, step):
        return values(run / f"checkpoints/step-{step}/model.safetensors")

    def terms(run):
        return json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["terms"]

    before, here, there = parameters(cpu, steps // 2), parameters(cpu, steps), parameters(gpu, steps)
    if here.keys() != there.keys():
        return math.inf, math.inf
    apart = []
    for name, own in here.items():
        own = own.double()
        moved, distance = norm(own - before[name]), norm(there[name] - own)
        apart.append(distance / max(moved, 1e-6 * norm(own), 1e-12))
    others = terms(gpu)
    of_terms = [abs(others[name] - term) / max(1, abs(term)) for name, term in terms(cpu).items()]
    return tuple(math.inf if any(map(math.isnan, found)) else max(found, default=0.0) for found in (apart, of_terms))


def compared(place, exe, learn, steps):
    """The result row of one learn block. A block that starts from another run starts here from the processor's run of
    the program's first block."""
    start = ["--start", place.folder / f"{exe}-0-cpu"] if learn["settings"]["start"] and learn["number"] else []
    results = {}
    for device in ("cpu", "cuda"):
        run = f"{exe}-{learn['number']}-{device}"
        result = place.train(exe, run, device, steps, steps, max(1, steps // 2), "--learn", learn["name"], *start)
        results[device] = result
        if result.returncode != 0:
            cause = result.stderr.strip().splitlines()[-1:] or [f"exit {result.returncode}"]
            misses = device == "cpu" and result.returncode == MISSING_INPUT
            return {"outcome": "skipped" if misses else "FAILED", "cause": cause[0]}
    apart, of_terms = difference(*(place.folder / f"{exe}-{learn['number']}-{device}" for device in ("cuda", "cpu")), steps)
    agrees = apart < TOLERANCE and of_terms < OF_TERMS
    return {"outcome": "agrees" if agrees else "DISAGREES", "parameters": apart, "terms": of_terms}


def check(place, options):
    say(f"\n{'program':<28}{'learn':<16}{'parameters':>12}{'terms':>12}")
    counts = {}
    for path in sorted((place.home / "bin").iterdir()):
        exe = path.name
        if options.programs and exe not in options.programs:
            continue
        info = place.call(exe, "info", "--json")
        if info.returncode != 0:
            counts["FAILED"] = counts.get("FAILED", 0) + 1
            say(f"{exe:<28}{'':<16}  {(info.stderr.strip().splitlines() or [f'exit {info.returncode}'])[-1]}  FAILED")
            continue
        learns = json.loads(info.stdout)["learns"]
        for number, learn in enumerate(learns):
            if not learn["available"]:
                continue
            if place.left() <= 0:
                row = {"outcome": "left out", "cause": "no time left"}
            else:
                row = compared(place, exe, {**learn, "number": number}, options.steps)
            place.note("check", {"program": exe, "learn": learn["name"], **row})
            counts[row["outcome"]] = counts.get(row["outcome"], 0) + 1
            text = f"{row['parameters']:>12.2g}{row['terms']:>12.2g}" if "terms" in row else f"  {row['cause']}"
            say(f"{exe:<28}{learn['name']:<16}{text}  {row['outcome']}")
    say(", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "nothing to check")
    return "FAILED" in counts or "DISAGREES" in counts or not counts
