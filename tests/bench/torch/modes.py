"""Runs the PyTorch scripts beside this file: their arguments, their precision, and their mode. In a mode, a step is
run as it is (eager), compiled, captured as a CUDA graph, or both. `compile` tries kernels (max-autotune);
`compile_default` does not.

A script gives `run` a function that makes its model: model(options) returns the turns of a step in order, each one a
Turn. For each mode one JSON object is printed. It has the median time of a step in milliseconds and
the utilities as means over the last --window steps. It also has the peak memory (of the GPU, if there is one).

The environment sets threads and BLAS (OMP_NUM_THREADS, OPENBLAS_CORETYPE). tests/bench/run tries several settings on
a processor for each model. tests/device/run tries the modes on a GPU. There, all data of a step are in the memory of
the GPU, and the processor does not wait between steps.
"""
import argparse
import json
import math
import resource
import statistics
import sys
import time
import typing

import torch


CAPTURED = ("graph", "compiled_graph")
# The mode of torch.compile. A step that is captured in one graph must not record graphs itself.
COMPILED = {"compile_default": "default", "compile": "max-autotune", "compiled_graph": "max-autotune-no-cudagraphs"}
MODES = ("eager", "graph", *COMPILED)


class Turn(typing.NamedTuple):
    """The turn of one player. `utility(*kept)` draws what it needs. It returns the utility in nats per row, and the
    values that the next turn gets as its `kept`."""
    player: str
    optimizer: torch.optim.Optimizer
    utility: typing.Callable


def adam(net, rate, options):
    """The fastest Adam of PyTorch. On a GPU, one kernel updates all parameters and counts the steps there."""
    on_gpu = {"fused": True, "capturable": options.mode in CAPTURED} if options.device.type == "cuda" else {}
    return torch.optim.Adam(net.parameters(), lr=rate, **on_gpu)


def placed(net, options):
    """Moves the net to the device that computes the steps, in the layout that the options name."""
    return net.to(options.device, memory_format=torch.channels_last if options.channels_last else torch.preserve_format)


def resident(table, options):
    """Moves the rows to the device that computes the steps. The mode "compile" also marks their address as fixed.
    Otherwise the graph of a compiled step would copy them every time, because they could have moved."""
    table = table.to(options.device)
    if options.mode == "compile":
        torch._dynamo.mark_static_address(table)
    return table


def maximize(optimizer, utility):
    optimizer.zero_grad()
    (-utility).backward()
    optimizer.step()


def in_bf16(utility, device):
    """Computes the utility in bf16, without the cache of autocast. A draw without gradients would put converted
    weights into the cache, and the next gradient would not reach the parameters."""
    def computed(*kept):
        with torch.autocast(device.type, torch.bfloat16, cache_enabled=False):
            return utility(*kept)

    return computed


def step_of(turns, options):
    """Returns the function step(). It does all turns of a step and returns the utility of each player."""
    utilities = [in_bf16(turn.utility, options.device) if options.precision == "bf16" else turn.utility
                 for turn in turns]
    if options.mode in COMPILED:
        utilities = [torch.compile(utility, mode=COMPILED[options.mode], dynamic=False) for utility in utilities]

    def step():
        if options.mode == "compile":
            torch.compiler.cudagraph_mark_step_begin()
        reached, kept = {}, ()
        for turn, utility in zip(turns, utilities):
            reached[turn.player], kept = utility(*kept)
            maximize(turn.optimizer, reached[turn.player])
        return {player: utility.detach() for player, utility in reached.items()}

    return captured(step) if options.mode in CAPTURED else step


def captured(step):
    """Returns the step as one CUDA graph. The step first runs five times, so that libraries choose kernels and
    allocate memory before the capture."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        utilities = step()

    def replay():
        graph.replay()
        return utilities

    return replay


def timed_on_processor(step, options):
    times, sums = [], {}
    for number in range(options.steps):
        start = time.perf_counter()
        utilities = step()
        times.append(time.perf_counter() - start)
        add_window(sums, utilities, number, options)
    return statistics.median(times[options.warmup:] or times), sums


def timed_on_gpu(step, options):
    """Times groups of steps. The processor waits for the GPU only before and after a group."""
    sums = {}

    def group(count, first=0):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for number in range(first, first + count):
            add_window(sums, step(), number, options)
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / count

    if options.seconds == 0:
        groups = min(5, options.steps)
        ends = [options.steps * i // groups for i in range(groups + 1)]
        times = [group(end - begin, begin) for begin, end in zip(ends, ends[1:])]
        return statistics.median(times[1:] or times), sums
    options.window = 0
    group(max(10, options.warmup))  # the first steps of a compiled step record graphs and try kernels
    count = max(3, min(100_000, int(options.seconds / 5 / group(5))))
    return statistics.median(group(count) for _ in range(5)), sums


def add_window(sums, utilities, number, options):
    if number >= options.steps - options.window:
        for player, utility in utilities.items():
            sums[player] = sums.get(player, 0.0) + utility.double() / min(options.window, options.steps)


def measured(model, options):
    on_gpu = options.device.type == "cuda"
    torch.manual_seed(options.seed)
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    begin = time.perf_counter()
    step = step_of(model(options), options)
    milliseconds, sums = (timed_on_gpu if on_gpu else timed_on_processor)(step, options)
    last = {player: utility.item() for player, utility in step().items()} if on_gpu else {}
    if not all(math.isfinite(utility) for utility in last.values()):
        raise RuntimeError(f"utilities are not numbers: {last}")
    return {
        "milliseconds": 1000 * milliseconds,
        "utility": {player: utility.item() for player, utility in sums.items()},
        "peak_memory_megabytes": torch.cuda.max_memory_allocated() / 2**20 if on_gpu
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(options.device) if on_gpu else "cpu",
        "mode": options.mode,
        "precision": options.precision,
        "channels_last": options.channels_last,
        "seconds": time.perf_counter() - begin,  # includes the time of all compiling
    }


def check(options, modes):
    """Ends with a one-line message if this machine or this version of PyTorch cannot do what the options ask for."""
    on_gpu = options.device.type == "cuda"
    if on_gpu and not torch.cuda.is_available():
        sys.exit(f"modes: --device cuda: PyTorch {torch.__version__} sees no GPU here")
    compiled, graphs = ([mode for mode in modes if mode in those] for those in (COMPILED, CAPTURED))
    if compiled and not hasattr(torch, "compile"):
        sys.exit(f"modes: --mode {compiled[0]}: PyTorch {torch.__version__} has no torch.compile; 2.1 and later do")
    if graphs and not on_gpu:
        sys.exit(f"modes: --mode {graphs[0]}: a CUDA graph needs --device cuda")
    if options.precision == "tf32" and not on_gpu:
        sys.exit("modes: --precision tf32: that is the GPU's; --device cpu computes in fp32 or bf16")


def run(model):
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0, help="on a GPU: about so long, instead of --steps")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--window", type=int, default=0, help="steps whose utilities are averaged")
    parser.add_argument("--flush-denormals", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--best-layout", action="store_true", help="of eager and graph the faster layout; what is compiled in it")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--mode", default="eager", help=f"of {', '.join(MODES)}; several: one line of JSON each")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    options = parser.parse_args()
    modes = options.mode.split(",")
    if unknown := [mode for mode in modes if mode not in MODES]:
        parser.error(f"--mode {unknown[0]}: not one of {', '.join(MODES)}")
    check(options, modes)
    torch.set_flush_denormal(options.flush_denormals)
    if options.device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.precision != "fp32"
        torch.backends.cudnn.benchmark = True
    failed, best_of_layouts = False, {}
    for mode in modes:
        options.mode = mode
        try:
            if options.best_layout and (mode not in COMPILED or not best_of_layouts):
                results = []
                for options.channels_last in (False, True):
                    results.append(measured(model, options))
                result = min(results, key=lambda one: one["milliseconds"])
                best_of_layouts[mode] = result
            else:
                if best_of_layouts:
                    options.channels_last = min(best_of_layouts.values(),
                                                key=lambda one: one["milliseconds"])["channels_last"]
                result = measured(model, options)
        except Exception as error:  # an error in one mode; the other modes are still measured
            if len(modes) == 1:
                raise
            failed, result = True, {"mode": mode, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)
    sys.exit(1 if failed else 0)
