"""Reads and runs ONNX files for tests: their metadata, ONNX Runtime in node, and the random numbers of vaec as
runtime/image.md defines them."""
import array
import atexit
import base64
import json
import math
import pathlib
import shutil
import subprocess
import tempfile

import pytest

# Reads {"runs": [{"file", "feeds": {name: {"type", "dims", "data"}}}], "answer"}. The data are in base64.
SCRIPT = """
const ort = require("onnxruntime-web");
const fs = require("fs");
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
async function main() {
  const job = JSON.parse(fs.readFileSync(process.argv[2]));
  const answers = [];
  for (const run of job.runs) {
    const session = await ort.InferenceSession.create(fs.readFileSync(run.file));
    const feeds = {};
    for (const [name, tensor] of Object.entries(run.feeds)) {
      const bytes = Buffer.from(tensor.data, "base64");
      const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
      feeds[name] = new ort.Tensor(tensor.type,
        tensor.type === "int64" ? new BigInt64Array(copy) : new Float32Array(copy), tensor.dims);
    }
    const found = await session.run(feeds), answer = {};
    for (const name of session.outputNames) {
      const data = found[name].data;
      answer[name] = {dims: found[name].dims,
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64")};
    }
    answers.push({inputs: session.inputNames, outputs: answer});
    await session.release();
  }
  fs.writeFileSync(job.answer, JSON.stringify(answers));
}
main().catch(error => { console.error(String(error)); process.exit(1); });
"""

packages = []  # the folder with onnxruntime-web, made only once


def runtime():
    """A folder in which npm has installed onnxruntime-web."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    if not packages:
        folder = tempfile.mkdtemp(prefix="vaec-onnx-")
        atexit.register(shutil.rmtree, folder, True)
        installed = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "onnxruntime-web"],
                                   cwd=folder, capture_output=True, text=True, check=False)
        packages.append(pathlib.Path(folder) if installed.returncode == 0 else None)
    if packages[0] is None:
        pytest.skip("npm cannot install onnxruntime-web")
    (packages[0] / "run.js").write_text(SCRIPT)
    return packages[0]


def run_all(runs):
    """Runs [(file, {name: (dims, numbers)})] and returns {name: (dims, numbers)} for each file. A list of whole
    numbers becomes an int64 tensor."""
    folder = runtime()
    job = {"runs": [], "answer": str(folder / "answer.json")}
    for file, feeds in runs:
        tensors = {}
        for name, (dims, numbers) in feeds.items():
            whole = all(isinstance(number, int) for number in numbers)
            data = base64.b64encode(array.array("q" if whole else "f", numbers).tobytes()).decode()
            tensors[name] = {"type": "int64" if whole else "float32", "dims": dims, "data": data}
        job["runs"].append({"file": str(file), "feeds": tensors})
    (folder / "job.json").write_text(json.dumps(job))
    done = subprocess.run(["node", "run.js", "job.json"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stderr, [str(file) for file, _ in runs])
    answers = json.loads((folder / "answer.json").read_text())
    return [{name: (tensor["dims"], array.array("f", base64.b64decode(tensor["data"])))
             for name, tensor in answer["outputs"].items()} for answer in answers]


def fields(message):
    """Yields (number, value) for each field of a protocol buffer message. A value is bytes or a whole number."""
    place = 0

    def varint():
        nonlocal place
        number = shift = 0
        while True:
            byte = message[place]
            place += 1
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    while place < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            yield key >> 3, message[place:place + size]
            place += size


def metadata(file):
    """Returns the metadata_props (field 14) of a ModelProto, and the names of the inputs and outputs of its graph."""
    found = {"inputs": [], "outputs": []}
    for number, value in fields(memoryview(pathlib.Path(file).read_bytes())):
        if number == 14:
            key, text = (bytes(part).decode() for _, part in fields(value))
            found[key] = text
        if number == 7:
            for part, content in fields(value):
                if part in (11, 12):
                    name = next(bytes(text).decode() for field, text in fields(content) if field == 1)
                    found["inputs" if part == 11 else "outputs"].append(name)
    return found


def philox_word(seed, site, element):
    """The Philox word of an element at step 0."""
    counter = [(element >> 7) * 32 + (element & 31), site, 0, 0]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second & 0xFFFFFFFF,
                   (first >> 32) ^ counter[3] ^ key[1], first & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter[(element >> 5) & 3]


def uniform(seed, site, element):
    return ((philox_word(seed, site, element) >> 9) + 0.5) * 2 ** -23


def normal(seed, site, element):
    turn = uniform(seed, site | 0x80000000, element)
    return math.sqrt(-2 * math.log(uniform(seed, site, element))) * math.cos(2 * math.pi * turn)


def gumbel(seed, site, element):
    return -math.log(-math.log(uniform(seed, site, element)))


DRAWS = {"uniform": uniform, "normal": normal, "gumbel": gumbel}
