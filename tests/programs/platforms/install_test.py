"""Tests that an installed vaec works from any folder, for a user who may not write to that folder. Packages hold the
same files."""
import os
import shutil
import stat
import subprocess
import tarfile

import pytest

import executable
from executable import ROOT, call, skip_if_sanitized, succeed

NOBODY = 65534


def install(vaec, prefix):
    return succeed("cmake", "--install", vaec.parent.parent, "--prefix", prefix)


def snapshot(tree):
    return sorted((str(path.relative_to(tree)), path.lstat().st_mtime_ns, path.lstat().st_size)
                  for path in tree.rglob("*"))


def make_read_only(tree):
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)


def make_writable(tree):
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


class User:
    """A user who does not own the installation, with a home folder of their own. If root runs the tests, it is
    `nobody`."""

    def __init__(self, folder):
        folder.chmod(0o755)
        self.home = folder / "home"
        self.home.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "VAEC_DATA_URL": "none"}
        if "ASAN_OPTIONS" in os.environ:
            self.env["ASAN_OPTIONS"] = os.environ["ASAN_OPTIONS"]
        self.options = {}
        if os.geteuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)
            self.options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def run(self, *command, code=0):
        result = subprocess.run([str(word) for word in command], cwd=self.home, env=self.env, capture_output=True,
                                text=True, timeout=600, stdin=subprocess.DEVNULL, **self.options)
        assert result.returncode == code, f"{command} exited {result.returncode}\n{result.stdout}{result.stderr}"
        return result


def test_a_moved_read_only_tree_serves_another_user(folder, vaec):
    first, tree = folder / "first", folder / "moved/deeper"
    install(vaec, first)
    tree.parent.mkdir()
    first.rename(tree)
    make_read_only(tree)
    before, user = snapshot(tree), User(folder)
    try:
        installed = tree / "bin/vaec"
        user.run(installed, "new", "m")
        user.run(installed, "build", "m.vae")
        user.run("./m", "train", "--steps", "20", "--quiet", "--out", "run")
        user.run("./m", "sample", "--run", "run", "--n", "4", "--out", "s.png")
        assert (user.home / "s.png").read_bytes().startswith(b"\x89PNG")
        user.run(installed, "run", "m.vae", "infer", "z | x", "--run", "run", "--given", "x=images", "--out", "z.npy")
        doctor = user.run(installed, "doctor").stdout
        assert f"{tree}/lib/libvaert.so\n" in doctor and str(ROOT) not in doctor, doctor
        # The executable that `build` made uses the installed runtime and no other.
        linked = subprocess.run(["ldd", user.home / "m"], capture_output=True, text=True, check=True).stdout
        assert f"{tree}/lib/libvaert.so.0" in linked and str(ROOT) not in linked, linked
        user.run(installed, "check", tree / "share/vaec/examples/digits/digits.vae")
        for path in ("share/vaec/stdlib/families.vae", "share/doc/vaec/language.md", "include/vaec/abi.h",
                     "share/man/man1/vaec.1", "share/man/man1/vaec-model.1", "share/fish/vendor_completions.d/vaec.fish",
                     "share/bash-completion/completions/vaec", "share/zsh/site-functions/_vaec"):
            assert (tree / path).is_file(), path
        assert snapshot(tree) == before
    finally:
        make_writable(tree)


def test_the_notices_of_what_is_inside_are_installed(folder, vaec):
    install(vaec, folder / "tree")
    notices = (folder / "tree/share/doc/vaec/copyright").read_text()
    assert (ROOT / "LICENSE").read_text() in notices
    for name in ("CLI11", "nlohmann/json", "Eigen"):
        assert name in notices, name
    # libxsmm is recognized by its messages, ANTLR by its symbols.
    for binary, word, name in (("lib/libvaert.so", b"LIBXSMM_TARGET", "libxsmm"), ("bin/vaec", b"N6antlr4", "ANTLR 4")):
        inside = word in (folder / "tree" / binary).read_bytes()
        assert inside == (name in notices), (name, inside)


def test_without_its_tree_vaec_looks_in_vaec_home(folder, vaec):
    install(vaec, folder / "tree")
    (folder / "alone/bin").mkdir(parents=True)
    alone = shutil.copy(vaec, folder / "alone/bin/vaec")
    succeed(alone, "new", "m", cwd=folder)
    env = {"VAEC_HOME": ""}
    result = call(alone, "build", "m.vae", cwd=folder, env=env)
    assert (result.returncode, result.stderr.count("\n")) == (78, 1), result
    assert f"{folder}/alone/lib/libvaert.so" in result.stderr and "VAEC_HOME" in result.stderr, result
    result = call(alone, "build", "m.vae", cwd=folder, env={"VAEC_HOME": str(folder / "none")})
    assert f"{folder}/none/lib/libvaert.so" in result.stderr and result.returncode == 78, result
    # VAEC_HOME may be a relative folder, although the executable is then used from another folder.
    succeed(alone, "build", "m.vae", cwd=folder, env={"VAEC_HOME": "tree"})
    succeed(folder / "m", "train", "--steps", "2", "--quiet", "--out", folder / "run", cwd="/")
    assert f"{folder}/tree/lib/libvaert.so" in succeed(alone, "doctor", env={"VAEC_HOME": str(folder / "tree")}).stdout


def test_the_runtime_has_a_versioned_name(folder, vaec):
    skip_if_sanitized(vaec, "a sanitized executable needs libasan too")
    lib = vaec.parent.parent / "lib"
    assert "soname: [libvaert.so.0]" in succeed("readelf", "-d", lib / "libvaert.so").stdout
    succeed(vaec, "new", "m", cwd=folder)
    succeed(vaec, "build", "m.vae", cwd=folder)
    needed = [line for line in succeed("readelf", "-d", folder / "m").stdout.splitlines() if "(NEEDED)" in line]
    assert sorted(line.split("[")[1].rstrip("]") for line in needed) == ["libc.so.6", "libvaert.so.0"], needed


def pack(vaec, folder, generator, *words):
    """Makes packages with cpack. The long timeout is for dpkg-shlibdeps, which is slow on a busy machine."""
    build = vaec.parent.parent
    succeed("cpack", "--config", build / "CPackConfig.cmake", "-G", generator, "-B", folder, *words, cwd=folder,
            timeout=850)


def test_the_tarball_holds_the_whole_tree(folder, vaec):
    skip_if_sanitized(vaec, "only a sanitized program opens a sanitized runtime, and a bundle's start is not one")
    pack(vaec, folder, "TGZ")
    (archive,) = folder.glob("vaec-*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(folder / "out")
    (tree,) = (folder / "out").iterdir()
    succeed(tree / "bin/vaec", "new", "m", cwd=folder)
    succeed(tree / "bin/vaec", "build", "m.vae", cwd=folder)
    succeed(folder / "m", "train", "--steps", "2", "--quiet", "--out", folder / "run")
    succeed(tree / "bin/vaec", "build", "m.vae", "--bundle", "bundle", cwd=folder)
    succeed(folder / "bundle/m", "info")
    built = {path.name for path in (vaec.parent.parent / "lib").glob("libvaert*")}
    assert {path.name for path in (tree / "lib").glob("libvaert*")} == built


def packages_of(path):
    """The Debian packages that own the file. All paths of the file are tried."""
    names = {path, os.path.realpath(path), os.path.realpath(path).removeprefix("/usr")}
    found = [call("dpkg", "-S", name).stdout for name in names]
    return {line.split(":")[0] for text in found for line in text.splitlines()}


def linked_packages(tree):
    """A dict from soname to packages, for every library that a file of the tree names directly."""
    found = {}
    for path in [tree / "bin/vaec", *(tree / "lib").glob("*.so*")]:
        needed = [line.split("[")[1].rstrip("]") for line in succeed("readelf", "-d", path).stdout.splitlines()
                  if "(NEEDED)" in line]
        for line in succeed("ldd", path).stdout.splitlines():
            words = line.split()
            if words[0] in needed and len(words) > 2 and str(tree) not in words[2]:
                found[words[0]] = packages_of(words[2])
    return found


def field(package, name):
    return succeed("dpkg-deb", "-f", package, name).stdout.strip()


def test_the_debian_package_names_what_it_needs(folder, vaec):
    if not shutil.which("dpkg-shlibdeps"):
        pytest.skip("dpkg-shlibdeps is not installed (package dpkg-dev)")
    # The package of the LibTorch backend is left out: dpkg-shlibdeps needs long for LibTorch's symbols.
    pack(vaec, folder, "DEB", "-D", "CPACK_COMPONENTS_ALL=vaec")
    version = succeed(vaec, "--version").stdout.split()[-1]
    architecture = succeed("dpkg", "--print-architecture").stdout.strip()
    package = folder / f"vaec_{version}_{architecture}.deb"
    depends = field(package, "Depends")
    named = {entry.split()[0] for entry in depends.split(",")}
    assert {"binutils", "libc6-dev"} <= named, depends
    succeed("dpkg-deb", "-x", package, folder / "out")
    linked = linked_packages(folder / "out/usr")
    assert len(linked) > 10 and not [name for name, owners in linked.items() if not owners & named], (linked, depends)
    assert "torch" not in depends, depends
    files = succeed("dpkg-deb", "-c", package).stdout
    for path in ("./usr/bin/vaec\n", "./usr/lib/libvaert.so.0\n", "./usr/lib/libvaert_lenet.so\n",
                 "./usr/lib/libvaert_sqlite.so\n", "./usr/share/doc/vaec/copyright\n",
                 "./usr/share/man/man1/vaec.1\n", "./usr/share/bash-completion/completions/vaec\n",
                 "./usr/share/vaec/stdlib/families.vae\n"):
        assert path in files, (path, files)
    assert "_test" not in files and "gtest" not in files, files
    configuration = (vaec.parent.parent / "CPackConfig.cmake").read_text()
    built = (vaec.parent.parent / "lib/libvaert_torch.so").exists()
    assert built == ("vaec-torch" in configuration), built
