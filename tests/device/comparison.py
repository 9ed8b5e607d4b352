"""vaec's training steps against PyTorch's on the same GPU, in the same call, at the same precision."""
import dataclasses
import json
import math
import os
import shutil
import statistics
import subprocess
import sys

from place import say

STEPS_OF_A_LADDER = 1_000_000
LEAST = 15  # seconds without which a measurement is not worth its beginning


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    batches: tuple
    first: tuple = ()  # of them, those that the aims are set for: measured before all others
    convolutional: bool = True
    batch: str = "{0}"  # as vaec's flag takes it

    def flag(self, batch):
        return self.batch.format(batch, batch // 2)


MODELS = [
    Model("digits", (128, 32, 512), first=(128,), convolutional=False),
    Model("ladder", (1024, 128), first=(1024,)),
    Model("reverse", (1024, 128)),
    Model("wide", (128, 1024), convolutional=False),
    Model("unet", (128, 32)),
    Model("semi_supervised", (128,), batch="images={0},codes={0},labelled={1}"),
]


def cases(options):
    """Model, batch, precision; the most important first."""
    models = [model for model in MODELS if not options.models or model.name in options.models]
    precisions = ["fp32"] if options.torch_device == "cpu" else options.precisions
    found = [(model, batch, precision) for precision in precisions for model in models
             for batch in (model.batches[:1] if options.quick else model.batches)]
    return sorted(found, key=lambda case: case[1] not in case[0].first)


def vaec(place, model, batch, precision, options):
    """Milliseconds a step, of a run of about --seconds; or the cause why there are none."""
    def lines(steps, every):
        run = f"{model.name}-{batch}-{precision}-{steps}"
        result = place.train(model.name, run, "cuda", steps, every, 0, "--batch", model.flag(batch), "--precision",
                             precision, "--learn", "symmetric")
        if result.returncode != 0:
            raise RuntimeError((result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1])
        # The first line holds the first steps: choosing, recording.
        rates = [line["steps_per_second"] for line in place.lines(run)[1:]]
        shutil.rmtree(place.folder / run)
        return rates

    try:
        rates = lines(4, 2) if options.quick else lines(40, 20)
        if not options.quick:
            every = max(10, int(options.seconds * rates[-1] / 6))
            rates = lines(6 * every, every)
    except RuntimeError as error:
        return {"error": str(error)}
    return {"milliseconds": 1000 / statistics.median(rates)}


def pytorch(place, model, batch, precision, options):
    """mode: what the script says of it, or the cause why it says nothing."""
    modes = options.modes if options.torch_device != "cpu" else ["eager"]
    command = [sys.executable, place.home / "torch" / f"{model.name}.py", "--batch", batch, "--precision", precision,
               "--device", options.torch_device, "--mode", ",".join(modes)]
    command += ["--steps", 4, "--warmup", 1] if options.quick else ["--seconds", options.seconds]
    if model.convolutional and options.torch_device != "cpu":
        command.append("--best-layout")
    limit = max(LEAST, place.left())
    try:
        # With the caller's libraries, not those of the pack.
        result = subprocess.run([str(word) for word in command], env=os.environ, capture_output=True, text=True,
                                timeout=limit)
        text, cause = result.stdout, (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
    except subprocess.TimeoutExpired as expired:
        text, cause = (expired.stdout or b"").decode(), "no time left"
    # Compilers print on the standard output too.
    found = {line["mode"]: line for line in map(json.loads, filter(lambda line: line.startswith("{"), text.splitlines()))}
    return {mode: found.get(mode, {"error": cause}) for mode in modes}


def cell(result):
    return f"{result['milliseconds']:.3g}" if "milliseconds" in result else "–"


def hours(milliseconds):
    return milliseconds * STEPS_OF_A_LADDER / 3.6e6


def compare(place, options):
    if "VAEC_DATA" not in os.environ:
        say("\nbench: skipped: VAEC_DATA must hold mnist")
        return False
    say("\nmilliseconds a step; – was not measured, and below is why\n")
    say("| model | batch | precision | vaec | eager | compile | graph | best of PyTorch / vaec |")
    say("|---|---|---|---|---|---|---|---|")
    left_out, causes, ladder, failed = [], [], [], False
    for model, batch, precision in cases(options):
        name = f"{model.name} {batch} {precision}"
        if place.left() < LEAST:
            left_out.append(name)
            continue
        ours = vaec(place, model, batch, precision, options)
        theirs = pytorch(place, model, batch, precision, options)
        place.note("bench", {"model": model.name, "batch": batch, "precision": precision, "vaec": ours, **theirs})
        results = {"vaec": ours, **theirs}
        causes += [f"{name}, {of}: {result['error']}" for of, result in results.items() if "error" in result]
        failed |= "error" in ours or all("error" in result for result in theirs.values())
        best = min((result["milliseconds"] for result in theirs.values() if "milliseconds" in result), default=math.nan)
        mine = ours.get("milliseconds", math.nan)
        ratio = f"{best / mine:.2f}" if best / mine == best / mine else "–"
        say(f"| {model.name} | {batch} | {precision} | {cell(ours)} | "
            + " | ".join(cell(theirs.get(mode, {})) for mode in ("eager", "compile", "graph")) + f" | {ratio} |")
        if model.name == "ladder" and batch == 1024 and math.isfinite(mine):
            ladder.append(f"a million steps of ladder at 1024 in {precision}: vaec {hours(mine):.2f} hours, the best of "
                          f"PyTorch {hours(best):.2f}")
    for line in [*ladder, *causes]:
        say(line)
    if left_out:
        say(f"left out, for want of time: {', '.join(left_out)}")
    return failed
