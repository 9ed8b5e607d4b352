"""The PTX of every example assembles for every GPU that it is meant for. Skips where there is no ptxas."""
import os
import pathlib
import shutil
import sys

import executable
from executable import GLYPHS, succeed, write

EXAMPLES = sorted((pathlib.Path(__file__).resolve().parents[2] / "examples").glob("*/*.vae"))
ASSEMBLER = shutil.which("ptxas") or shutil.which("ptxas", path=os.environ.get("CUDA_BIN", "/usr/local/cuda/bin"))


def assemble(folder, text, architecture):
    (folder / "kernels.ptx").write_text(text)
    succeed(ASSEMBLER, f"-arch={architecture}", "kernels.ptx", "-o", "kernels.cubin", cwd=folder)
    assert (folder / "kernels.cubin").read_bytes()[:4] == b"\x7fELF"


def test_every_example_assembles(folder, vaec):
    for path in EXAMPLES:
        text = succeed(vaec, "check", "--emit=ptx", path, cwd=path.parent).stdout
        assert text.count(".visible .entry kernel_") >= 5, path
        for architecture in ("sm_75", "sm_80", "sm_90"):
            assemble(folder, text, architecture)


def test_no_kernel_spills_or_uses_local_memory_for_nothing(folder, vaec):
    write(folder, "small.vae", GLYPHS)
    text = succeed(vaec, "check", "--emit=ptx", "small.vae", cwd=folder).stdout
    assert ".local" not in text, "a thread's values belong into registers"
    assert "div.rn.f32" not in text, "division is approximate, within 2 ulp"
    assert ".ftz" in text, "tiny numbers are zero, as on the CPU"


if __name__ == "__main__":
    if not ASSEMBLER:
        print("skipped: no ptxas in PATH, CUDA_BIN or /usr/local/cuda/bin")
        sys.exit(77)
    executable.main(globals())
