"""Compares training steps of vaec and of PyTorch on the same GPU, in the same call, at the same precision."""
import dataclasses
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys

from place import say

STEPS_OF_A_LADDER = 1_000_000
NO_TIME = "no time left"
LEAST = 15  # seconds; with less time left no measurement begins
MODES = ("eager", "compile", "graph", "compiled_graph")  # the modes of PyTorch
COMPILED = ("compile", "compiled_graph")  # these choose kernels by trying them
ON_GPU = ("graph", "compiled_graph")
TOO_SLOW = "too slow"
TIMED = "vaec --cudnn-benchmark"


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    batches: tuple
    first: tuple = ()  # the batches that performance goals are set for; measured first
    convolutional: bool = True
    batch: str = "{0}"  # in the form that vaec's flag --batch takes

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
    """All triples of model, batch and precision, the most important first."""
    models = [model for model in MODELS if not options.models or model.name in options.models]
    precisions = ["fp32"] if options.torch_device == "cpu" else options.precisions
    found = [(model, batch, precision) for precision in precisions for model in models
             for batch in (model.batches[:1] if options.quick else model.batches)]
    return sorted(found, key=lambda case: case[1] not in case[0].first)


def vaec(place, model, batch, precision, options, *flags):
    """Returns the milliseconds of a step, from a run of about --seconds, or the reason why there are none."""
    def lines(steps, every):
        run = "-".join([model.name, str(batch), precision, str(steps), *(flag.strip("-") for flag in flags)])
        result = place.train(model.name, run, "cuda", steps, every, 0, "--batch", model.flag(batch), "--precision",
                             precision, "--learn", "symmetric", *flags)
        if result.returncode != 0:
            raise RuntimeError((result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1])
        # The first line covers the first steps, which also choose kernels and record graphs.
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


def lines_of(command, limit, late):
    """Returns the JSON lines that the command printed, by mode, and the reason why there are no more of them.

    After `limit` seconds the command is killed and the reason is `late`. All processes that it started are killed
    too, because the workers of torch.compile keep its output open."""
    # PyTorch must use the libraries of the caller, not those of the pack.
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        text, said = process.communicate(timeout=limit)
        cause = (said.strip().splitlines() or [f"exit {process.returncode}"])[-1]
    # Also signals that end this script: the process in its own session does not get them.
    except BaseException as stopped:
        os.killpg(process.pid, signal.SIGKILL)
        text, cause = process.communicate(timeout=LEAST)[0], late
        if not isinstance(stopped, subprocess.TimeoutExpired):
            raise
    # Compilers also print to standard output.
    lines = map(json.loads, filter(lambda line: line.startswith("{"), text.splitlines()))
    return {line["mode"]: line for line in lines}, cause


def best_layout(model, found, options):
    """The flags for the layout of convolutions: the fastest layout if some mode was measured, otherwise a flag that
    makes the script try both."""
    measured = [result for result in found.values() if "milliseconds" in result]
    if not model.convolutional or options.torch_device == "cpu":
        return []
    if not measured:
        return ["--best-layout"]
    return ["--channels-last"] if min(measured, key=lambda result: result["milliseconds"])["channels_last"] else []


def pytorch(place, model, batch, precision, options):
    """Returns a dict from mode to what the script printed for it, or to the reason why it printed nothing."""
    script = [sys.executable, place.home / "torch" / f"{model.name}.py", "--batch", batch, "--precision", precision,
              "--device", options.torch_device]
    script += ["--steps", 4, "--warmup", 1] if options.quick else ["--seconds", options.seconds]
    possible = [mode for mode in options.modes if options.torch_device != "cpu" or mode not in ON_GPU]
    found = {}
    # Modes that try kernels for minutes each get their own process and their own time limit.
    for modes in ([mode for mode in possible if mode not in COMPILED], *([mode] for mode in possible if mode in COMPILED)):
        if not modes:
            continue
        limit, late = place.left(), NO_TIME
        if limit < LEAST:
            found.update({mode: {"error": late} for mode in modes})
            continue
        if modes[0] in COMPILED and options.compile_limit < limit:
            limit, late = options.compile_limit, f"{TOO_SLOW} (limit {options.compile_limit:g} s)"
        lines, cause = lines_of([*script, *best_layout(model, found, options), "--mode", ",".join(modes)], limit, late)
        found.update({mode: lines.get(mode, {"error": cause}) for mode in modes})
    return found


def cell(result):
    if "milliseconds" in result:
        return f"{result['milliseconds']:.3g}"
    return result["error"] if is_too_slow(result) else "–"


def is_too_slow(result):
    return result.get("error", "").startswith(TOO_SLOW)


def is_cut_off(result):
    return is_too_slow(result) or result.get("error") == NO_TIME


def least(results):
    return min((result["milliseconds"] for result in results.values() if "milliseconds" in result), default=math.nan)


def hours(milliseconds):
    return milliseconds * STEPS_OF_A_LADDER / 3.6e6


def compare(place, options):
    if "VAEC_DATA" not in os.environ:
        say("\nbench: skipped: VAEC_DATA must hold mnist")
        return False
    say("\nmilliseconds a step; – was not measured, and below is why\n")
    say(f"| model | batch | precision | vaec | --cudnn-benchmark | {' | '.join(MODES)} | best of PyTorch / best of vaec |")
    say("|---" * (6 + len(MODES)) + "|")
    left_out, causes, ladder, failed = [], [], [], False
    for model, batch, precision in cases(options):
        name = f"{model.name} {batch} {precision}"
        if place.left() < LEAST:
            left_out.append(name)
            continue
        ours = {"vaec": vaec(place, model, batch, precision, options)}
        if model.convolutional and place.left() >= LEAST:  # PyTorch's scripts let cuDNN choose by timing too
            ours[TIMED] = vaec(place, model, batch, precision, options, "--cudnn-benchmark")
        theirs = pytorch(place, model, batch, precision, options)
        place.note("bench", {"model": model.name, "batch": batch, "precision": precision, **ours, **theirs})
        results = {**ours, **theirs}
        causes += [f"{name}, {of}: {result['error']}" for of, result in results.items()
                   if "error" in result and not is_too_slow(result)]
        # A result that is too slow, or for which no time was left, is not a failure.
        failed |= any("error" in result for result in ours.values()) or any("error" in result and not is_cut_off(result) for result in theirs.values())
        best, mine = least(theirs), least(ours)
        ratio = f"{best / mine:.2f}" if best / mine == best / mine else "–"
        say(f"| {model.name} | {batch} | {precision} | "
            + " | ".join(cell(results.get(of, {})) for of in ("vaec", TIMED, *MODES)) + f" | {ratio} |")
        if model.name == "ladder" and batch == 1024 and math.isfinite(mine):
            ladder.append(f"a million steps of ladder at 1024 in {precision}: vaec {hours(mine):.2f} hours, the best of "
                          f"PyTorch {hours(best):.2f}")
    for line in [*ladder, *causes]:
        say(line)
    if left_out:
        say(f"left out, for want of time: {', '.join(left_out)}")
    return failed
