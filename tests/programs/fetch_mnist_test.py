#!/usr/bin/env python3
"""examples/fetch_mnist against a server on this machine: it fetches what is missing, and keeps nothing broken."""
import functools
import http.server
import os
import pathlib
import shutil
import threading

from executable import ROOT, call, main, need_mnist


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def fetch(home, url):
    environment = {"HOME": str(home), "VAEC_MNIST_URL": url, "VAEC_DATA": "", "no_proxy": "127.0.0.1"}
    return call(ROOT / "examples/fetch_mnist", env=environment)


def test_what_is_missing_is_fetched_once(folder, vaec):
    need_mnist()
    server, url = serve(pathlib.Path(os.environ["VAEC_DATA"]) / "mnist")
    first = fetch(folder, url)
    server.shutdown()
    assert first.returncode == 0, first
    cache = folder / ".cache/vaec/mnist"
    assert first.stdout.strip() == str(cache) and len(list(cache.iterdir())) == 4
    again = fetch(folder, url)  # the server is gone
    assert again.returncode == 0, again


def test_a_truncated_file_is_refused_in_one_line_and_not_kept(folder, vaec):
    need_mnist()
    broken = folder / "served"
    shutil.copytree(pathlib.Path(os.environ["VAEC_DATA"]) / "mnist", broken)
    for path in broken.iterdir():
        path.write_bytes(path.read_bytes()[:1000])
    server, url = serve(broken)
    result = fetch(folder / "home", url)
    server.shutdown()
    assert result.returncode == 66, result
    assert len(result.stderr.splitlines()) == 1 and "not a whole gzip file" in result.stderr, result.stderr
    assert not list((folder / "home").rglob("*.gz")), list((folder / "home").rglob("*"))


def test_no_server_is_one_line_with_the_places_tried(folder, vaec):
    result = fetch(folder, "http://127.0.0.1:1")
    assert result.returncode == 66, result
    assert len(result.stderr.splitlines()) == 1 and str(folder / ".cache/vaec/mnist") in result.stderr, result.stderr


if __name__ == "__main__":
    main(globals())
