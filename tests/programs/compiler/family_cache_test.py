"""Tests that a family that passed its numeric check is cached in the cache folder, and is used only if it is
unchanged."""
import os

from executable import call, succeed, write

MODEL = """family Coin(score : real, fixed steepness = 1) over x : binary {
  statistic     = x
  natural       = steepness * score
  log_partition = softplus(steepness * score)
  sample        = uniform() < sigmoid(steepness * score)
}
var x : binary[3]
source data { x = npy("x.npy") }
player p { x ~ Coin(parameter([3]), steepness = 2) }
"""


def test_what_passed_is_cached_and_what_failed_is_not(folder, vaec):
    env = {"XDG_CACHE_HOME": str(folder / "cache")}
    program = write(folder, "coin.vae", MODEL)
    succeed(vaec, "check", program, env=env)
    verdicts = folder / "cache" / "vaec" / "families"
    (verdict,) = (path for path in verdicts.iterdir() if path.name != "tidied")
    content = verdict.read_bytes()
    # A cached verdict is used only if it is complete; otherwise the family is checked again.
    for broken in (b"", content[:-3], content + b"x", b"\xff" * 200):
        verdict.write_bytes(broken)
        succeed(vaec, "check", program, env=env)
        assert verdict.read_bytes() == content
    write(folder, "wrong.vae", MODEL.replace("softplus(steepness", "softplus(1.1 * steepness"))
    for _ in range(2):
        result = call(vaec, "check", "wrong.vae", cwd=folder, env=env)
        assert result.returncode == 1 and "E0406" in result.stderr, result
    # Another fixed value makes another family, but another word in a comment does not.
    write(folder, "steeper.vae", MODEL.replace("steepness = 2)", "steepness = 3)"))
    write(folder, "same.vae", "// the same\n" + MODEL)
    for name in ("steeper.vae", "same.vae"):
        succeed(vaec, "check", name, cwd=folder, env=env)
    assert len(list(verdicts.iterdir())) == 3  # one of them is the marker file `tidied`


def test_a_cache_that_cannot_be_written_changes_nothing(folder, vaec):
    program = write(folder, "coin.vae", MODEL)
    (folder / "file").write_text("")
    for cache in (folder / "file", "relative", ""):
        succeed(vaec, "check", program, cwd=folder, env={"XDG_CACHE_HOME": str(cache), "HOME": "/dev/null"})
    assert not os.path.exists(folder / "relative")
