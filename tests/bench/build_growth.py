"""Measures how the cost of `vaec build` grows with the layers of a net, the players and the sources of a program."""
import os
import statistics
import subprocess
import tempfile

from programs import BIN


def layers(count):
    return f"""
var x : real[64]
var z : real[16]
source rows {{ x = npy("x.npy") }}
source generated {{ z ~ Normal(0) }}
net deep(h) {{
  for i in range(0, {count}) {{ h = tanh(dense(h, 32)) }}
  return dense(h, 64)
}}
decoder p {{ x | z ~ Normal(deep(z)) }}
encoder q {{ z | x ~ Normal(dense(x, 16)) }}
learn symmetric {{ steps = 10 }}
"""


def players(count):
    columns = "; ".join(f'x{i} = npy("x{i}.npy")' for i in range(count + 1))
    return "\n".join([*(f"var x{i} : real[8]" for i in range(count + 1)), f"source rows {{ {columns} }}",
                      *(f"player p{i} {{ x{i} | x{i + 1} ~ Normal(dense(x{i + 1}, 8)) }}" for i in range(count)),
                      "learn symmetric { steps = 10 }\n"])


def sources(count):
    return "\n".join(["var x : real[8]", "var c : category(4)",
                      *(f'source s{i} {{ x = npy("x{i}.npy"); c = npy("c{i}.npy") }}' for i in range(count)),
                      "player p { c | x ~ Categorical(dense(x, 4)) }", "learn symmetric { steps = 10 }\n"])


def build(text, folder):
    """Builds the program without any cached kernel. Returns the user time in seconds and the peak memory in MB."""
    path = folder / "grown.vae"
    path.write_text(text)
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        process = subprocess.Popen([BIN / "vaec", "build", path, "-o", folder / "grown"], stdout=subprocess.DEVNULL,
                                   env={**os.environ, "VAEC_CACHE": cache})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, text[:300]
    return used.ru_utime, used.ru_maxrss / 1024


def measure(vaec, options):
    sizes = {layers: (50, 200, 800, 2000), players: (16, 64, 256), sources: (60, 250, 1000)}
    print("\n| program | user s | times the line before | MB |\n|---|---|---|---|")
    for program, counts in sizes.items():
        before = None
        for count in counts[:2] if options.quick else counts:
            results = [build(program(count), vaec.folder) for _ in range(options.rounds)]
            seconds = statistics.median(result[0] for result in results)
            ratio = f"{seconds / before:.1f}" if before else ""
            memory = max(result[1] for result in results)
            print(f"| {count} {program.__name__} | {seconds:.2f} | {ratio} | {memory:.0f} |", flush=True)
            before = seconds
