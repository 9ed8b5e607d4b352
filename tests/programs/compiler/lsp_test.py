"""Tests `vaec lsp` with a scripted editor: diagnostics, hover, definition, rename, completion, layout and fixes."""
import json
import pathlib

import executable
from executable import ROOT, call, succeed, write
from language_client import Client, applied

MODEL = """\
import nets

// How many bits.
param code = 16
let scale = 2 * code

var x : binary[4, 4]
var z : binary[code]

source images { x = glyphs(100, 1).image[0:4] > 0.5 }
source codes { z ~ Bernoulli(0) }

// Two layers.
net twice(h, width, act = tanh) {
  h = act(dense(h, width))
  return dense(h, width)
}

decoder p { x | z ~ Bernoulli(mlp(z, 8, 16)) }
encoder q {
  let s = twice(x, code, act = relu)
  z | x ~ Bernoulli(s)
}

learn symmetric { steps = 20; batch = {images: 8, codes: 4}; optimizer = {p: adam(1e-3), q: none} }
"""
MODEL = MODEL.replace("glyphs(100, 1).image[0:4] > 0.5", 'npy("pictures.npy") > 0.5')


def session(folder, vaec, text=MODEL, name="m.vae"):
    client = Client(vaec, folder)
    return client, client.open(folder / name, text)


def checked(folder, vaec, text, name="checked.vae"):
    """Returns the codes that `vaec check` prints for a text."""
    result = call(vaec, "check", write(folder, name, text), "--error-format", "json")
    return [json.loads(line)["code"] for line in result.stderr.splitlines()]


def test_diagnostics_follow_the_text(folder, vaec):
    client, uri = session(folder, vaec)
    assert client.diagnostics(uri) == []
    client.change(uri, MODEL.replace("Bernoulli(s)", "Bernouli(s)"))
    (error,) = client.diagnostics(uri)
    place = client.position(uri, "Bernouli(s)")
    assert (error["code"], error["severity"], error["source"]) == ("E0220", 1, "vaec"), error
    assert "help: did you mean `Bernoulli`?" in error["message"], error
    assert error["range"] == {"start": place, "end": {**place, "character": place["character"] + 8}}, error
    client.change(uri, "var x : binary[\n")
    assert [error["code"][:3] for error in client.diagnostics(uri)] == ["E01"]
    client.change(uri, MODEL)
    assert client.diagnostics(uri) == []
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert client.diagnostics(uri) == []
    assert client.end() == (0, "")


def test_diagnostics_are_those_of_check(folder, vaec):
    client = Client(vaec, folder)
    for path in sorted(ROOT.glob("tests/errors/*/*.vae"))[::9]:
        text = path.read_bytes().decode(errors="replace")
        if path.read_bytes() != text.encode():
            continue
        uri = client.open(path, text)
        said = sorted(diagnostic["code"] for diagnostic in client.diagnostics(uri))
        result = call(vaec, "check", path, "--error-format", "json")
        assert said == sorted(json.loads(line)["code"] for line in result.stderr.splitlines()), path
    assert client.end()[0] == 0


def test_places_count_units_of_utf_16(folder, vaec):
    text = "/* 𝔼 η */ var η : binar[3] // 𝔼\n"
    client, uri = session(folder, vaec, text)
    error = next(error for error in client.diagnostics(uri) if error["code"] == "E0203")
    assert error["range"]["start"] == {"line": 0, "character": 19}, error
    assert error["range"]["end"] == {"line": 0, "character": 24}, error
    assert "var η" in client.hover(uri, "η :")
    # A change of one code unit behind a surrogate pair.
    place = {"line": 0, "character": 24}
    client.texts[uri] = text.replace("binar", "binary")
    client.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [
        {"range": {"start": place, "end": place}, "text": "y"}]})
    assert "E0203" not in [error["code"] for error in client.diagnostics(uri)]
    assert client.end()[0] == 0


def test_an_import_that_changes_changes_its_importers(folder, vaec):
    client = Client(vaec, folder)
    model = client.open(folder / "m.vae", 'import "parts.vae"\n' + MODEL.replace("mlp(", "mine("))
    assert client.diagnostics(model)[0]["code"] == "E0001"
    parts = client.open(folder / "parts.vae", "net mine(h, hidden, n) = dense(h, n)\n")
    assert client.diagnostics(model) == [] and client.diagnostics(parts) == []
    client.change(parts, "net mine(h, hidden, n) = dense(h, m)\n")
    (error,) = client.diagnostics(model)
    assert error["range"]["start"]["line"] == 0 and "`m`" in error["message"], error
    assert error["relatedInformation"][0]["location"]["uri"] == parts, error
    client.notify("textDocument/didClose", {"textDocument": {"uri": parts}})
    assert client.diagnostics(model)[0]["code"] == "E0001"
    assert client.end()[0] == 0


def test_hover_says_what_a_name_is(folder, vaec):
    client, uri = session(folder, vaec)
    player = client.hover(uri, "p { x")
    assert "decoder p" in player and "`p(x | z)`: Bernoulli" in player and "Parameters: 280" in player, player
    assert "Maximizes" in player, player
    variable = client.hover(uri, "x | z")
    assert "var x : binary[4, 4]" in variable and "`[4, 4]`" in variable and "`images`" in variable, variable
    let = client.hover(uri, "s = twice")
    assert "let s = twice(x, code, act = relu)" in let and "`[16]`" in let, let
    assert "`[16]`" in client.hover(uri, "s)")
    param = client.hover(uri, "code]")
    assert "param code = 16" in param and "`16`" in param, param
    net = client.hover(uri, "twice(x")
    assert "net twice(h, width, act = tanh)" in net and "Two layers." in net and "`[16]`" in net, net
    key = client.hover(uri, "steps")
    assert "Number of updates" in key and "learn symmetric" in key, key
    function = client.hover(uri, "dense")
    assert "dense(h, n, bias = ..., init = ...)" in function and "Linear layer" in function, function
    family = client.hover(uri, "Bernoulli(s)")
    assert "family Bernoulli(logit : real) over x : binary" in family and "logit [16]" in family, family
    assert "standard library" in family, family
    assert "mlp(input, hidden, output, act = relu)" in client.hover(uri, "mlp(")
    assert "npy(path)" in client.hover(uri, "npy(") and "0 or 1" in client.hover(uri, "binary[4")
    assert client.hover(uri, "{ x") is None
    assert client.end()[0] == 0


def test_definition_leads_to_the_declaration(folder, vaec):
    client, uri = session(folder, vaec)

    def definition(mark, nth=0):
        return client.ask("textDocument/definition", client.at(uri, mark, nth))
    here = {"code]": "code = 16", "twice(x": "twice(h", "s)": "s = twice", "act = relu": "act = tanh",
            "p: adam": "p { x", "images: 8": "images { x", "x | z": "x : binary"}
    for use, declared in here.items():
        found = definition(use)
        assert found and found["uri"] == uri, use
        assert found["range"]["start"] == client.position(uri, declared), use
    library = definition("mlp(")
    path = pathlib.Path(library["uri"].removeprefix("file://"))
    line = path.read_text().splitlines()[library["range"]["start"]["line"]]
    assert path.name == "nets.vae" and line.startswith("net mlp("), library
    assert path.read_text() == (ROOT / "stdlib/nets.vae").read_text()
    assert definition("nets")["uri"] == library["uri"]
    family = definition("Bernoulli(s)")
    assert family["uri"].endswith("/families.vae"), family
    assert definition("dense(h") is None and definition("{ x") is None
    # The library's files are not programs of a user, so they have no errors.
    shown = client.open(pathlib.Path(family["uri"].removeprefix("file://")), (ROOT / "stdlib/families.vae").read_text())
    assert client.diagnostics(shown) == []
    assert client.end()[0] == 0


def test_rename_keeps_what_a_program_means(folder, vaec):
    client, uri = session(folder, vaec)
    model = succeed(vaec, "check", write(folder, "model.vae", MODEL), "--emit=model").stdout
    for mark, old in [("code = 16", "code"), ("scale", "scale"), ("x : binary", "x"), ("z | x", "z"),
                      ("twice(h", "twice"), ("h, width", "h"), ("act = tanh", "act"), ("p { x", "p"), ("s)", "s"),
                      ("images {", "images"), ("codes: 4", "codes")]:
        edit = client.ask("textDocument/rename", {**client.at(uri, mark), "newName": "renamed"})
        text = client.apply(edit)[uri]
        assert text != MODEL and "renamed" in text, mark
        assert checked(folder, vaec, text) == [], (mark, text)
        renamed = succeed(vaec, "check", write(folder, "model.vae", text), "--emit=model").stdout
        assert renamed.count("\n") == model.count("\n"), mark
        if old in ("code", "scale", "twice", "h", "act", "s"):
            assert sorted(renamed.replace("renamed", old).split("\n")) == sorted(model.split("\n")), mark
    client.change(uri, "var x : binary\ndecoder p { x ~ Bernoulli(parameter([])) }\npublish (x)\n")
    edit = client.ask("textDocument/rename", {**client.at(uri, "x : binary"), "newName": "renamed"})
    assert "\npublish (renamed)\n" in client.apply(edit)[uri], edit
    assert client.end()[0] == 0


def test_rename_refuses_what_would_mean_something_else(folder, vaec):
    client, uri = session(folder, vaec)

    def refusal(mark, name, nth=0):
        error = client.refused("textDocument/rename", {**client.at(uri, mark, nth), "newName": name})
        assert error["code"] == -32803, error
        return error["message"]
    assert "word of the language" in refusal("dense", "linear")
    assert "standard library" in refusal("mlp(", "other")
    assert "no name stands here" in refusal("{ x", "other")
    for name in ["", "1a", "a b", "net", "a.b", "a\n"]:
        assert "is no name" in refusal("code = 16", name), name
    refusal("code = 16", "x")  # is already declared
    refusal("act = tanh", "width")  # is already a parameter
    client.change(uri, MODEL.replace("Bernoulli(s)", "Bernoulli(s + 0 * code)"))
    assert "mistaken" in refusal("s = twice", "code")  # would hide the `code` that `0 * code` means
    assert "mistaken" in refusal("code = 16", "s")  # the local variable would hide it
    error = client.refused("textDocument/prepareRename", client.at(uri, "dense"))
    assert error["code"] == -32803
    assert client.ask("textDocument/prepareRename", client.at(uri, "code]"))["start"] == client.position(uri, "code]")
    assert client.end()[0] == 0


def test_rename_reaches_every_importer_in_the_workspace(folder, vaec):
    parts = write(folder, "parts.vae", "param width = 16\nnet mine(h, n) = dense(h, n)\n")
    (folder / "deep").mkdir()
    other = write(folder, "deep/other.vae", 'import "../parts.vae"\n' + MODEL.replace("mlp(z, 8, 16)", "mine(z, n = 16)"))
    client, uri = session(folder, vaec, 'import "parts.vae"\n' + MODEL.replace("mlp(z, 8, 16)", "mine(z, width)"))
    edit = client.ask("textDocument/rename", {**client.at(uri, "mine("), "newName": "ours"})
    assert set(edit["changes"]) == {uri, parts.as_uri(), other.as_uri()}, edit
    texts = client.apply(edit)
    for address, text in texts.items():
        pathlib.Path(address.removeprefix("file://")).write_text(text)
    for address in texts:
        succeed(vaec, "check", address.removeprefix("file://"))
    client.notify("workspace/didChangeWatchedFiles", {"changes": []})
    client.change(uri, texts[uri])
    found = client.ask("textDocument/references", {**client.at(uri, "ours("), "context": {"includeDeclaration": False}})
    assert {place["uri"] for place in found} == {uri, other.as_uri()}, found
    assert client.end()[0] == 0


def test_completion_offers_what_may_stand_there(folder, vaec):
    client, uri = session(folder, vaec)
    every = []

    def offered(text, mark):
        client.change(uri, text)
        items = client.ask("textDocument/completion", client.at(uri, mark, after=True))
        every.extend(items)
        return {item["label"] for item in items}
    keys = offered(MODEL.replace("steps = 20", "st"), "{ st")
    assert {"steps", "batch", "order", "enumerate"} <= keys and "beta" not in keys, keys
    assert "beta" in offered(MODEL.replace("symmetric { steps = 20;", "elbo { st;"), "{ st")
    assert {"symmetric", "elbo", "libi"} <= offered(MODEL + "learn e", "learn e")
    assert {"var", "learn", "decoder", "import"} <= offered(MODEL + "\nde", "\nde")
    modules = offered("import n\n" + MODEL, "import n")
    assert "nets" in modules and "x" not in modules, modules
    domains = offered(MODEL.replace("x : binary[4, 4]", "x : b"), "x : b")
    assert {"binary", "category", "simplex"} <= domains and "x" not in domains, domains
    families = offered(MODEL.replace("Bernoulli(s)", "B"), "z | x ~ B")
    assert {"Bernoulli", "Normal", "Dirichlet"} <= families and "dense" not in families, families
    names = offered(MODEL.replace("dense(h, width)\n", "de\n"), "return de")
    assert {"dense", "h", "width", "act", "twice", "mlp", "code"} <= names and "s" not in names, names
    assert {"kernel = ", "stride = "} & offered(MODEL.replace("dense(h, width)\n", "conv(h, 2, \n"), "conv(h, 2, ")
    assert "act = " in offered(MODEL.replace("act = relu", "a"), "twice(x, code, a")
    assert {"s", "z", "code", "twice"} <= offered(MODEL.replace("Bernoulli(s)", "Bernoulli()"), "z | x ~ Bernoulli(")
    assert offered(MODEL.replace("mlp(z, 8, 16)", "p."), "p.") == {"x"}
    assert {"image", "label"} <= offered(MODEL.replace('npy("pictures.npy")', 'mnist("train").'), 'mnist("train").')
    assert {"p", "images"} <= offered(MODEL.replace("q: none", "q"), "{p: adam(1e-3), q")
    assert offered(MODEL + "publish (", "publish (") == {"x", "z"}
    assert offered(MODEL, "// How") == set()
    offered(MODEL.replace('npy("pictures.npy")', "r"), "{ x = r")
    missing = {item["label"] for item in every if item["kind"] in (3, 10) and "detail" in item and
               "documentation" not in item}
    assert not missing, missing
    assert client.end()[0] == 0


def test_every_word_of_the_language_is_described(folder, vaec):
    text = MODEL.replace('npy("pictures.npy")', "r") + "family F(a : real) over x : real {\n  s\n}\nlearn other {\n  s\n}\n"
    client, uri = session(folder, vaec, text)
    words = []
    for mark in ["{ x = r", "real {\n  s", "return d", "other {\n  s", "other", "binary"]:
        words += client.ask("textDocument/completion", client.at(uri, mark, after=True))
    words += client.ask("textDocument/completion", client.at(uri, "x : b", after=True))
    words += client.ask("textDocument/completion", client.at(uri, "learn s", after=True))
    client.change(uri, "family F(a : real) over x : real {\n  sample = u\n}\n")
    words += client.ask("textDocument/completion", client.at(uri, "sample = u", after=True))
    bare = {item["label"] for item in words if (item["kind"] == 10 or "detail" in item) and not item.get("documentation")}
    assert len(words) > 150 and not bare, bare
    assert client.end()[0] == 0


def test_formatting_is_that_of_fmt(folder, vaec):
    loose = "var   x : binary[ 4 ]\nvar longer:binary\n\n\nnet f( h )=dense( h,1 )  // ends without a newline"
    client, uri = session(folder, vaec, loose)

    def format():
        return client.ask("textDocument/formatting", {"textDocument": {"uri": uri},
                                                      "options": {"tabSize": 8, "insertSpaces": False}})
    path = write(folder, "loose.vae", loose)
    succeed(vaec, "fmt", path)
    assert applied(loose, format()) == path.read_text() != loose
    client.change(uri, path.read_text())
    assert format() == []
    client.change(uri, "var x : binary[\n")
    assert format() is None
    assert client.end()[0] == 0


def test_fixes_are_those_of_help(folder, vaec):
    client, uri = session(folder, vaec)
    cases = [
        (MODEL.replace("Bernoulli(s)", "Bernouli(s)"), "Bernouli", MODEL),
        (MODEL.replace("steps = 20", "step = 20"), "{ step", MODEL),
        (MODEL.replace("x : binary", "x : binry"), "binry", MODEL),
        (MODEL.replace("twice(x, code, act", "twice(x, code, atc"), "atc", MODEL),
        (MODEL.replace("import nets", "import net_s"), "net_s", MODEL),
        (MODEL.replace("z | x ~", "z ~"), "Bernoulli(s", MODEL),
        (MODEL.replace("x | z ~ Bernoulli(mlp(z, 8, 16))", "x ~ Bernoulli(mlp(z, 8, 16))"), "mlp(z", MODEL),
        (MODEL.replace("steps = 20; ", ""), "symmetric", None),
        (MODEL.replace("dense(h, width)\n", "Linear(h, width)\n"), "Linear", MODEL),
    ]
    for text, mark, wanted in cases:
        client.change(uri, text)
        place = client.position(uri, mark, after=True)
        actions = client.ask("textDocument/codeAction", {"textDocument": {"uri": uri}, "context": {"diagnostics": []},
                                                         "range": {"start": place, "end": place}})
        assert actions, (mark, checked(folder, vaec, text))
        fixed = client.apply(actions[0]["edit"])[uri]
        before, after = checked(folder, vaec, text), checked(folder, vaec, fixed)
        assert after != before and set(after) <= set(before), (mark, before, after, fixed)
        assert wanted is None or fixed == wanted, (mark, fixed)
        assert actions[0]["kind"] == "quickfix" and actions[0]["title"].startswith(before[0]), actions
    client.change(uri, MODEL)
    place = client.position(uri, "code]")
    assert client.ask("textDocument/codeAction", {"textDocument": {"uri": uri}, "context": {"diagnostics": []},
                                                  "range": {"start": place, "end": place}}) == []
    assert client.end()[0] == 0


def test_messages_that_are_none_have_answers(folder, vaec):
    client = Client(vaec, folder)

    def frame(content):
        client.send_bytes(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        return client.receive()["error"]["code"]
    for content in [b"", b"{", b"\xff\xfe", b'"\xc3"', b'{"id":1,"method":"a\\ud800"}', b"[" * 100000]:
        assert frame(content) == -32700, content[:20]
    for content in [b"[]", b"1", b'{"id":1,"method":2}', b'{"id":[],"method":"a"}', b"{}", b'{"method":null}']:
        assert frame(content) == -32600, content
    assert frame(b'{"id":7,"method":"textDocument/nothing"}') == -32601
    for params in ["null", "3", "{}", '{"textDocument":{"uri":3}}', '{"textDocument":{"uri":"file:///no.vae"}}']:
        assert frame(b'{"id":7,"method":"textDocument/hover","params":%s}' % params.encode()) == -32602, params
    uri = client.open(folder / "m.vae", MODEL)
    for place in [{"line": -1, "character": 0}, {"line": "a"}, {"line": 10**30, "character": 0}]:
        message = client.answer("textDocument/hover", {"textDocument": {"uri": uri}, "position": place})
        assert message.get("result", "none") is None or message["error"]["code"] == -32602, message
    assert client.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 10**9, "character": 10**9}}) is None
    # Notifications get no answer, whatever they contain. Answers that nobody asked for get none either.
    for message in [{"method": "unknown/thing"}, {"method": "textDocument/didChange", "params": []}, {"id": 9, "result": 1},
                    {"method": "textDocument/didOpen", "params": {"textDocument": {"uri": uri, "text": None}}},
                    {"method": "$/cancelRequest", "params": {"id": 1}}]:
        client.send(message)
    # Headers in any order and case, an additional header, and newlines without carriage return.
    content = b'{"id":"s","method":"shutdown"}'
    client.send_bytes(b"Content-Type: application/vscode-jsonrpc; charset=utf-8\ncontent-length:  %d \n\n" % len(content) + content)
    while (message := client.receive()).get("id") != "s":
        assert "method" in message, message
    assert client.refused("textDocument/hover", {})["code"] == -32600
    client.notify("exit", None)
    assert client.end(shutdown=False) == (0, "")


def test_a_stream_that_cannot_be_read_ends_the_server(folder, vaec):
    for content, cause in [(b"Content-Length: many\r\n\r\n", "Content-Length is no length"),
                           (b"Content-Length: -1\r\n\r\n", "Content-Length is no length"),
                           (b"Content-Length: 99999999999999999999999\r\n\r\n{}", "Content-Length is no length"),
                           (b"Content-Length: 999999999999\r\n\r\n{}", "the input ends within a message"),
                           (b"Content-Length: 10\r\n\r\n{}", "the input ends within a message"),
                           (b"Content-Length: 10\r\n", "the input ends within a header"),
                           (b"Content-Type: a\r\n\r\n{}", "a message has no Content-Length"),
                           (b"hello\r\n", "a header has no `:`"), (b"x" * 100000, "a header is too long"),
                           (bytes(range(256)) * 10, None)]:
        client = Client(vaec, initialize=False)
        client.send_bytes(content)
        code, said = client.end(shutdown=False)
        assert code == 65 and said.count("\n") == 1, (content[:40], code, said)
        assert cause is None or said == f"vaec lsp: {cause}\n", (content[:40], said)
    client = Client(vaec, initialize=False)
    assert client.end(shutdown=False) == (1, "")
    client = Client(vaec, initialize=False)
    assert client.refused("textDocument/hover", {})["code"] == -32002
    client.process.stdout.close()
    client.send({"id": 1, "method": "initialize", "params": {}})
    assert client.end(shutdown=False) == (73, "vaec lsp: cannot write the output\n")


def test_a_message_that_is_too_long_is_passed_over(folder, vaec):
    client = Client(vaec, folder)
    length = 129 << 20
    client.send_bytes(b"Content-Length: %d\r\n\r\n" % length)
    for _ in range(129):
        client.send_bytes(b" " * (1 << 20))
    message = client.receive()
    assert message["error"]["code"] == -32600 and "128 MiB" in message["error"]["message"], message
    assert client.end()[0] == 0


def test_any_text_and_any_place_has_an_answer(folder, vaec):
    """Sends every request at many positions of broken files. The server must keep running."""
    client, uri = session(folder, vaec)
    texts = [MODEL[:cut] for cut in range(0, len(MODEL), 97)] + ["", "\0", "}{", "net", "var η𝔼 :", "a" * 5000,
                                                                "import \"m.vae\"\n" + MODEL, "learn elbo { = }",
                                                                "family F(", "\r\n\r\nvar x : binary\r\n"]
    for text in texts:
        client.change(uri, text)
        lines = text.split("\n")
        for line in range(0, len(lines) + 1, 7):
            for character in (0, 9, 10**6):
                place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
                for method in ("hover", "definition", "completion", "prepareRename"):
                    client.answer("textDocument/" + method, place)
                client.answer("textDocument/rename", {**place, "newName": "renamed"})
                client.answer("textDocument/references", {**place, "context": {"includeDeclaration": True}})
        client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": {}})
    assert client.end()[0] == 0
