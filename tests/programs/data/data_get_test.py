#!/usr/bin/env python3
"""Tests `vaec data get`, and downloads by executables, with a server on this machine."""
import gzip
import http.server
import os
import pathlib
import shutil
import subprocess
import threading

import pytest

from executable import build, call, need_mnist, succeed, write

FILES = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz",
         "train-labels-idx1-ubyte.gz"]


class Server:
    """A server of content[path]. `cut` closes the connection after that number of bytes of an answer. `ranges` says
    whether the server can start in the middle of a file. It keeps a list of (path, first byte of the request)."""

    def __init__(self, content, cut=None, ranges=True):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                wanted = self.headers.get("Range")
                first = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
                outer.asked.append((self.path, first))
                self.close_connection = True
                if self.path not in content:
                    self.send_error(404)
                    return
                body = content[self.path]
                if wanted and ranges and first >= len(body):
                    self.send_error(416)
                    return
                if wanted and ranges:
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
                    body = body[first:]
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body if cut is None else body[:cut])
                except OSError:
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def mnist():
    need_mnist()
    folder = pathlib.Path(os.environ["VAEC_DATA"]) / "mnist"
    return {f"/mnist/{name}": (folder / name).read_bytes() for name in FILES}


def environment(home, url, data=""):
    return {"HOME": str(home), "XDG_CACHE_HOME": "", "VAEC_CACHE": "", "VAEC_DATA": str(data), "VAEC_DATA_URL": url,
            "no_proxy": "127.0.0.1"}


def get(vaec, home, url, *arguments, data=""):
    return call(vaec, "data", "get", *(arguments or ["mnist"]), env=environment(home, url, data))


def refused(result, code, *words):
    assert result.returncode == code and result.stdout == "", result
    assert len(result.stderr.splitlines()) == 1 and result.stderr.startswith("vaec data get: "), result.stderr
    for word in words:
        assert word in result.stderr, (word, result.stderr)


def kept(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_set_is_fetched_once_and_then_found(folder, vaec):
    with Server(mnist()) as server:
        first = get(vaec, folder, server.url)
        assert first.returncode == 0 and first.stderr == "", first
        cache = folder / ".cache/vaec/mnist"
        assert first.stdout == f"{cache}\n" and kept(cache) == FILES
        assert sorted(server.asked) == [(f"/mnist/{name}", 0) for name in FILES]
    again = get(vaec, folder, server.url)  # the server has ended
    assert (again.returncode, again.stdout) == (0, f"{cache}\n"), again


def test_the_folder_is_the_one_asked_for_or_the_cache_of_the_desktop(folder, vaec):
    with Server(mnist()) as server:
        to = succeed(vaec, "data", "get", "mnist", "--to", folder / "sets", env=environment(folder, server.url))
        assert to.stdout == f"{folder}/sets/mnist\n" and kept(folder / "sets/mnist") == FILES
        desktop = {**environment(folder, server.url), "XDG_CACHE_HOME": str(folder / "desktop")}
        result = succeed(vaec, "data", "get", "mnist", env=desktop)
        assert result.stdout == f"{folder}/desktop/vaec/mnist\n", result
        for chosen, printed in ((f"{folder}/mine", "mine/mnist"), ("off", "desktop/vaec/mnist"), ("relative", "desktop/vaec/mnist")):
            result = succeed(vaec, "data", "get", "mnist", env={**desktop, "VAEC_CACHE": chosen})
            assert result.stdout == f"{folder}/{printed}\n", (chosen, result)
    for data, printed in ((folder / "sets", "sets/mnist"), (folder / "sets/mnist", "sets/mnist")):
        found = get(vaec, folder, "none", data=data)
        assert found.stdout == f"{folder}/{printed}\n", found


def test_a_broken_transfer_goes_on_where_it_stopped(folder, vaec):
    content, cache = mnist(), folder / ".cache/vaec/mnist"
    with Server(content, cut=700_000) as server:
        refused(get(vaec, folder, server.url), 66, FILES[0], server.url)
    part = cache / (FILES[0] + ".part")
    assert kept(cache) == [part.name] and part.stat().st_size == 700_000, kept(cache)
    with Server(content) as server:
        assert get(vaec, folder, server.url).returncode == 0
        assert (f"/mnist/{FILES[0]}", 700_000) in server.asked, server.asked
        assert (f"/mnist/{FILES[0]}", 0) not in server.asked, server.asked
    assert kept(cache) == FILES


def test_a_part_of_something_else_or_a_server_that_cannot_resume_begin_anew(folder, vaec):
    content, cache = mnist(), folder / ".cache/vaec/mnist"
    cache.mkdir(parents=True)
    (cache / (FILES[0] + ".part")).write_bytes(b"something else")
    # Complete; only the final name is missing.
    (cache / (FILES[1] + ".part")).write_bytes(content[f"/mnist/{FILES[1]}"])
    with Server(content) as server:
        assert get(vaec, folder, server.url).returncode == 0
    assert kept(cache) == FILES
    shutil.rmtree(cache)
    cache.mkdir()
    (cache / (FILES[2] + ".part")).write_bytes(content[f"/mnist/{FILES[2]}"][:1000])
    with Server(content, ranges=False) as server:
        assert get(vaec, folder, server.url).returncode == 0
    assert kept(cache) == FILES


def test_what_has_another_checksum_is_not_kept(folder, vaec):
    content = {path: gzip.compress(b"something else") for path in (f"/mnist/{name}" for name in FILES)}
    with Server(content) as server:
        refused(get(vaec, folder, server.url), 65, FILES[0], "its SHA256 is", "0fa7898d5")
        refused(get(vaec, folder, server.url, "fashion_mnist"), 66, "404")
    with Server({f"/fashion_mnist/{name}": b"x" for name in FILES}) as server:
        refused(get(vaec, folder, server.url, "fashion_mnist"), 65, "its MD5 is", "bef4ecab")
    with Server({f"/mnist/{name}": b"no gzip" for name in FILES}) as server:
        refused(get(vaec, folder, server.url), 65, "its SHA256 is")
    with Server({f"/mnist/{name}": gzip.compress(b"a" * 1000)[:-9] for name in FILES}) as server:
        refused(get(vaec, folder, server.url), 65, "the gzip stream is truncated")
    assert kept(folder) == [], kept(folder)


def test_causes_are_told_in_one_line(folder, vaec):
    with Server({}) as server:
        refused(get(vaec, folder, server.url), 66, f"{server.url}/mnist/{FILES[0]}", "404")
    refused(get(vaec, folder, "http://127.0.0.1:1"), 66, "http://127.0.0.1:1/mnist", "onnect")
    refused(get(vaec, folder, "http://no.such.host.invalid"), 66, "no.such.host.invalid")
    refused(get(vaec, folder, "file:///etc"), 66, "file")
    refused(get(vaec, folder, "none"), 66, "VAEC_DATA_URL is `none`")
    refused(get(vaec, folder, "none", "cifar"), 64, "no data set `cifar`; known: mnist, fashion_mnist")
    (folder / "file").write_text("")
    refused(get(vaec, folder, "none", "mnist", "--to", folder / "file"), 73, f"cannot write {folder}/file/mnist")
    assert kept(folder) == ["file"]


def test_a_full_disk_exits_73(folder, vaec):
    content, full = mnist(), folder / "full"
    full.mkdir()
    if call("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", full).returncode != 0:
        pytest.skip("this user may not mount")
    try:
        with Server(content) as server:
            refused(get(vaec, folder, server.url, "mnist", "--to", full), 73, f"{FILES[0]}.part", "No space left")
        # The fetched beginning: the next fetch continues from there.
        assert kept(full) == [f"{FILES[0]}.part"]
    finally:
        call("umount", full)


def test_two_that_fetch_at_once_wait_for_one_another(folder, vaec):
    with Server(mnist()) as server:
        both = [subprocess.Popen([vaec, "data", "get", "mnist"], env={**os.environ, **environment(folder, server.url)},
                                 stdout=subprocess.DEVNULL) for _ in range(2)]
        assert [process.wait() for process in both] == [0, 0]
        assert len(server.asked) == 4, server.asked
    assert kept(folder / ".cache/vaec/mnist") == FILES


PROGRAM = """
var c : category(10)
var x : unit[28, 28]
source rows { c = SET("test").label; x = SET("test").image }
player q { c | x ~ Categorical(dense(x, 10)) }
learn symmetric { steps = 1; batch = 8 }
"""


def trained(vaec, folder, name, **variables):
    exe = build(vaec, write(folder, f"{name}.vae", PROGRAM.replace("SET", name)), folder)
    return call(exe, "train", "--quiet", "--out", folder / f"run-{len(os.listdir(folder))}", cwd=folder,
                env=environment(folder, **variables))


def test_an_executable_fetches_a_known_set_that_is_nowhere(folder, vaec):
    with Server(mnist()) as server:
        result = trained(vaec, folder, "mnist", url=server.url)
    assert result.returncode == 0, result
    assert kept(folder / ".cache/vaec/mnist") == FILES
    result = trained(vaec, folder, "mnist", url="none")
    assert result.returncode == 0, result


def test_what_others_could_have_put_into_the_cache_is_not_used(folder, vaec):
    old = os.umask(0)
    try:
        with Server(mnist()) as server:
            assert get(vaec, folder, server.url).returncode == 0
    finally:
        os.umask(old)
    cache = folder / ".cache/vaec"
    for path in (folder / ".cache", cache, cache / "mnist"):
        assert path.stat().st_mode & 0o777 == 0o700, path  # whatever the umask is
    for path in (cache, cache / "mnist"):
        path.chmod(0o777)
        result = trained(vaec, folder, "mnist", url="none")
        assert result.returncode == 66 and f"{path}" in result.stderr, result
        refused(get(vaec, folder, "none"), 78 if path == cache else 73, f"{path}", "can be written by other users")
        path.chmod(0o700)
    assert trained(vaec, folder, "mnist", url="none").returncode == 0
    with Server(mnist()) as server:  # a link at the place of the .part file is not written through
        (folder / "open/mnist").mkdir(parents=True)
        (folder / "open/mnist" / f"{FILES[0]}.part").symlink_to(folder / "victim")
        refused(get(vaec, folder, server.url, "mnist", "--to", folder / "open"), 73, "symbolic link")
        assert not (folder / "victim").exists()


def test_an_executable_names_every_place_tried(folder, vaec):
    result = trained(vaec, folder, "fashion_mnist", url="http://127.0.0.1:1", data=folder / "sets")
    assert result.returncode == 66 and len(result.stderr.splitlines()) == 1, result
    for place in [folder / "fashion_mnist", folder / "sets/FashionMNIST/raw", folder / ".cache/vaec/fashion_mnist",
                  "http://127.0.0.1:1/fashion_mnist"]:
        assert str(place) in result.stderr, (place, result.stderr)


def test_the_folders_of_torchvision_are_found(folder, vaec):
    content = mnist()
    raw = folder / "torch/MNIST/raw"
    raw.mkdir(parents=True)
    for name in FILES:  # torchvision keeps both files
        (raw / name).write_bytes(content[f"/mnist/{name}"])
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content[f"/mnist/{name}"]))
    for unpacked in (True, False):
        result = trained(vaec, folder, "mnist", url="none", data=folder / "torch")
        assert result.returncode == 0, result
        assert get(vaec, folder, "none", data=folder / "torch").stdout == f"{raw}\n"
        if unpacked:
            for name in FILES:
                (raw / name).unlink()
    (folder / "torch/FashionMNIST").mkdir()
    raw.rename(folder / "torch/FashionMNIST/raw")
    result = trained(vaec, folder, "fashion_mnist", url="none", data=folder / "torch")
    assert result.returncode == 0, result
