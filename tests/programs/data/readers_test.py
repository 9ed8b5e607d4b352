#!/usr/bin/env python3
"""Tests databases, CIFAR-10 and Kuzushiji-MNIST as sources, missing values, and statistics taken from another table.
An executable reads the values back."""
import gzip
import io
import json
import math
import os
import pathlib
import random
import sqlite3
import struct
import tarfile

from data_get_test import Server, environment, kept, refused
from data_test import Reading, near
from executable import build, call, succeed, write
from pictures import png


def database(path, rows):
    """Makes a table `t` with a number, a text that contains a number, a word and bytes."""
    base = sqlite3.connect(path)
    base.execute("create table t (id integer, a real, b text, place text, raw blob)")
    base.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
    base.commit()
    base.close()
    return path


ROWS = [(1, 0.5, "10", "north", b"x"), (2, 2.5, "20.5", "south", b"y"), (3, -1, "-3e1", "south", None)]


def test_columns_of_a_query_are_what_it_names(folder, vaec):
    before = database(folder / "t.db", ROWS).read_bytes()
    read = Reading(folder, vaec, {
        "number": "t.a", "text": "t.b", "first": "t", "computed": "t.twice",
        "table": "sqlite(\"t.db\", \"select sum(a) as total from t;  -- all rows\")",
        "by_name": "sqlite(query = \"select a from t order by a\", path = \"t.db\")"},
        lets='let t = sqlite("t.db", "select a, b, 2 * a as twice from t order by id")')
    near(read("number"), [0.5, 2.5, -1])
    near(read("text"), [10, 20.5, -30])
    near(read("first"), [0.5, 2.5, -1])
    near(read("computed"), [1, 5, -2])
    near(read("table"), [2])
    near(read("by_name"), [-1, 0.5, 2.5])
    assert (folder / "t.db").read_bytes() == before and not list(folder.glob("t.db-*"))


def test_null_is_missing_and_words_are_classes(folder, vaec):
    database(folder / "t.db", ROWS + [(4, None, " ", None, None), (5, 7, " 8 ", "north", None)])
    read = Reading(folder, vaec, {
        "numbers": "t.a", "whether": "missing(t.a)", "words": "missing(t.place)",
        "noisy": "missing(jitter(t.a, 1))"}, lets='let t = sqlite("t.db", "select * from t order by id")')
    near(read("numbers"), [0.5, 2.5, -1, 7])  # the row without a value is left out
    for name in ("whether", "words", "noisy"):
        near(read(name), [0, 0, 0, 1, 0])
    exe = build(vaec, write(folder, "words.vae", """
var place : category("north", "south")
var n     : category(2)
var z     : real
let t = sqlite("t.db", "select place from t where place is not null order by id")
source rows  { place = t.place; n = t.place }
source codes { z ~ Normal(0) }
decoder p { place | z ~ Categorical(dense(z, 2)); n | z ~ Categorical(dense(z, 2)) }
encoder q { z | place, n ~ Normal(place[1] + 10 * n[1], parameter([])) }
learn symmetric { steps = 1; batch = 2; optimizer = none; every = {evaluate: 0} }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    succeed(exe, "infer", "--run", "run", "z | place, n", "--given", "place=rows", "--given", "n=rows", "--out", "z.csv",
            cwd=folder)
    near([[float(line)] for line in (folder / "z.csv").read_text().split()[1:]], [0, 11, 11, 0])


# Rows of class a lie at -3 and rows of class b at 3.
WORDS = """
var x : real
var c : DOMAIN
source rows { let t = csv("train.csv"); x = t.x; c = t.w }
source held weight 0 { let t = csv("held.csv"); x = t.x; c = t.w }
decoder p { c ~ Categorical(parameter([2])); x | c ~ Normal(dense(c, 1)) }
encoder q { c | x ~ Categorical(dense(x, 2)) }
learn supervised { steps = 300; batch = 16; optimizer = adam(0.05); every = {sample: 0, checkpoint: 300, evaluate: 0} }
"""


def fails(result, code, *causes):
    assert result.returncode == code and len(result.stderr.splitlines()) == 1, result
    assert all(cause in result.stderr for cause in causes), result


def test_words_number_the_classes_in_all_files_alike(folder, vaec):
    write(folder, "train.csv", "x,w\n-3,a\n3,b\n-3.1,a\n3.1,b\n")
    write(folder, "held.csv", "x,w\n3,b\n-3,a\n")
    exe = build(vaec, write(folder, "words.vae", WORDS.replace("DOMAIN", "category(2)")), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "run", cwd=folder)

    def accuracy():
        return call(exe, "evaluate", "--run", "run", "--metrics", "accuracy", "--json", cwd=folder)
    assert json.loads(accuracy().stdout)["results"][0]["mean"] == 1, accuracy()
    # Other words would number the classes in another way.
    write(folder, "held.csv", "x,w\n3,b\n8,c\n")
    fails(accuracy(), 65, 'its words are "b", "c"', 'by the words "a", "b"')
    write(folder, "both.vae", WORDS.replace("DOMAIN", "category(2)").replace("weight 0 ", ""))
    result = call(build(vaec, folder / "both.vae", folder), "train", "--out", "run-3", cwd=folder)
    fails(result, 65, "csv(\"held.csv\").w", 'its words are "b", "c"')
    # A file that is given may hold some of the words.
    write(folder, "some.csv", "c\nb\nb\n")
    succeed(exe, "infer", "x | c", "--run", "run", "--given", "c=some.csv", "--out", "x.csv", cwd=folder)
    assert all(abs(float(line) - 3.05) < 0.2 for line in (folder / "x.csv").read_text().split()[1:])
    write(folder, "some.csv", "c\nb\nd\n")
    result = call(exe, "infer", "x | c", "--run", "run", "--given", "c=some.csv", "--out", "x.csv", cwd=folder)
    fails(result, 65, 'row 1 holds "d"')
    for word, mean in (("a", -3.05), ("b", 3.05)):
        succeed(exe, "infer", "x | c", "--run", "run", "--given", f"c={word}", "--out", "x.csv", cwd=folder)
        assert abs(float((folder / "x.csv").read_text().split()[1]) - mean) < 0.2, word
    fails(call(exe, "infer", "x | c", "--run", "run", "--given", "c=d", "--out", "x.csv", cwd=folder), 66,
          "its words are a, b")
    # A resumed run, too, keeps the words.
    write(folder, "train.csv", "x,w\n-3,a\n3,c\n")
    write(folder, "held.csv", "x,w\n3,c\n-3,a\n")
    result = call(exe, "train", "--resume", "run", "--steps", "310", cwd=folder)
    fails(result, 65, 'its words are "a", "c"')
    # Numbers in a text file are no places among the words, in a resumed run, beside a file of words, or before it.
    write(folder, "train.csv", "x,w\n-3,1\n3,0\n")
    result = call(exe, "train", "--resume", "run", "--steps", "310", cwd=folder)
    fails(result, 65, 'csv("train.csv").w: its classes are numbers, but other data have the words "a", "b"; ', "all need the same words")
    both = build(vaec, folder / "both.vae", folder)
    fails(call(both, "train", "--out", "run-4", cwd=folder), 65, 'csv("held.csv").w: its words are "a", "c", but other data have numbers')
    write(folder, "train.csv", "x,w\n-3,a\n3,c\n")
    write(folder, "held.csv", "x,w\n3,0\n-3,1\n")
    fails(call(both, "train", "--out", "run-5", cwd=folder), 65, 'its classes are numbers, but other data have the words "a", "c"')
    write(folder, "train.csv", "x,w\n-3,1\n3,0\n")
    succeed(both, "train", "--quiet", "--out", "run-6", "--steps", "1", cwd=folder)


def test_folders_named_by_numbers_go_with_numbers_in_a_text_file(folder, vaec):
    for name in "0", "1":
        (folder / "pictures" / name).mkdir(parents=True)
        (folder / "pictures" / name / "one.png").write_bytes(png(bytes(16), 4))
    write(folder, "held.csv", "w\n1\n0\n")
    exe = build(vaec, write(folder, "numbers.vae", """
var c : category(2)
source rows { c = images("pictures").label }
source held { c = csv("held.csv").w }
decoder p { c ~ Categorical(parameter([2])) }
learn symmetric { steps = 1 }
"""), folder)
    succeed(exe, "train", "--quiet", cwd=folder)
    (folder / "pictures/0").rename(folder / "pictures/2")
    fails(call(exe, "train", "--quiet", cwd=folder), 65, 'its classes are numbers, but other data have the words "1", "2"')


def test_a_run_keeps_the_order_of_declared_words(folder, vaec):
    write(folder, "train.csv", "x,w\n-3,a\n3,b\n")
    write(folder, "held.csv", "x,w\n3,b\n")
    exe = build(vaec, write(folder, "words.vae", WORDS.replace("DOMAIN", 'category("a", "b")')), folder)
    succeed(exe, "train", "--quiet", "--threads", "1", "--out", "run", cwd=folder)
    succeed(exe, "infer", "c | x", "--run", "run", "--given", "x=3", "--out", "c.csv", cwd=folder)
    assert (folder / "c.csv").read_text().split() == ["c", "b"]
    exe = build(vaec, write(folder, "words.vae", WORDS.replace("DOMAIN", 'category("b", "a")')), folder)
    for command in (["infer", "c | x", "--run", "run", "--given", "x=3", "--out", "c.csv"],
                    ["train", "--resume", "run", "--steps", "310"]):
        fails(call(exe, *command, cwd=folder), 65, 'c is category("b", "a") in this program',
                'trained with category("a", "b")')


def test_words_of_classes_are_read_and_written(folder, vaec):
    write(folder, "w.csv", 'place,u,v,n\n"north, far",a,b,1\n"so""uth",b,b,2\n"north, far",a,a,3\n')
    exe = build(vaec, write(folder, "w.vae", """
var place : category("north, far", "so\\"uth", "mid")
var g     : category("a", "b")[2]
var z     : real[5]
source rows  { place = csv("w.csv").place; g = csv("w.csv", ["u", "v"]) }
source codes { z ~ Normal(0) }
decoder p { place | z ~ Categorical(20 * z[0:3] + parameter([3])); g | z ~ Categorical(dense(z, 4)) }
encoder q { z | place, g ~ Normal(concat(place, g[1]), parameter([])) }
learn symmetric { steps = 1; batch = 2; optimizer = none; every = {evaluate: 0} }
"""), folder)
    succeed(exe, "train", "--quiet", "--out", "run", cwd=folder)
    run = [exe, "infer", "--run", "run"]
    succeed(*run, "z | place, g", "--given", "place=rows", "--given", "g=rows", "--out", "z.csv", cwd=folder)
    near([[float(cell) for cell in line.split(",")] for line in (folder / "z.csv").read_text().split()[1:]],
         [[1, 0, 0, 0, 1], [0, 1, 0, 1, 1], [1, 0, 0, 0, 0]])
    # The words are written as they were read, and a file that `sample` wrote can be given.
    succeed(*run, "place | z", "--given", "z=z.csv", "--out", "place.csv", cwd=folder)
    assert (folder / "place.csv").read_text() == 'place\n"north, far"\n"so""uth"\n"north, far"\n'
    succeed(exe, "sample", "--run", "run", "--n", "5", "--out", "s.csv", cwd=folder)
    assert (folder / "s.csv").read_text().splitlines()[0].startswith("place,g[0],g[1],")
    succeed(*run, "z | place, g", "--given", "place=s.csv", "--given", "g=s.csv", "--out", "z.csv", cwd=folder)


def test_words_and_names_that_are_not_utf8_are_refused_where_they_are_used(folder, vaec):
    latin = (folder / "latin.csv", "a,b\nNo\xebl,1\nx,2\n".encode("latin-1"))
    named = (folder / "named.csv", "\xe9,b\n3,1\n4,2\n".encode("latin-1"))
    for path, content in latin, named:
        path.write_bytes(content)
    base = sqlite3.connect(folder / "t.db")
    base.execute("create table t (a, b)")
    base.executemany("insert into t values (cast(? as text), ?)", [(b"No\xebl", 1), (b"x", 2)])
    base.commit()
    base.close()
    for name in (b"\xe9", b"x"):
        picture = os.fsencode(folder / "pictures") + b"/" + name
        os.makedirs(picture)
        pathlib.Path(os.fsdecode(picture), "one.png").write_bytes(png(bytes(16), 4))

    def trained(domain, value):
        exe = build(vaec, write(folder, "words.vae", f"""
var c : {domain}
source rows {{ c = {value} }}
decoder p {{ c ~ {"Normal(parameter([]))" if domain == "real" else "Categorical(parameter([2]))"} }}
learn symmetric {{ steps = 1 }}
"""), folder)
        return call(exe, "train", "--quiet", cwd=folder)
    for table in 'csv("latin.csv")', 'sqlite("t.db", "select a, b from t")':
        assert trained("real", table + ".b").returncode == 0
        for domain in "category(2)", 'category("x", "y")':
            fails(trained(domain, table + ".a"), 65, 'the word "No\\xebl" of the column `a` is not UTF-8')
    fails(trained("category(2)", 'images("pictures").label'), 65, 'the word "\\xe9" of the column `label` is not UTF-8')
    assert trained("real", 'normalize(csv("named.csv")).b').returncode == 0
    fails(trained("real", 'normalize(csv("named.csv"))'), 65, "not UTF-8")


def test_what_is_wrong_with_a_database_or_query_is_said(folder, vaec):
    database(folder / "t.db", ROWS)
    before = (folder / "t.db").read_bytes()
    write(folder, "text.db", "no database at all, but a text that is longer than a header of one would be\n" * 20)
    for path, query, code, cause in (
            ("none.db", "select a from t", 66, "there is no file `none.db`"),
            ("text.db", "select a from t", 65, "text.db: file is not a database"),
            ("text.db", "select 1 as a", 65, "text.db: file is not a database"),
            ("t.db", "select missing from t", 65, "t.db: no such column: missing"),
            ("t.db", "select a from t; select b from t", 65, "the query has several statements"),
            ("t.db", "", 65, "the query is empty"),
            ("t.db", "delete from t", 65, "the query must read"),
            ("t.db", "insert into t (a) values (3) returning a", 65, "the query must read"),
            ("t.db", "select raw from t", 65, "row 0, column `raw`: binary data are no value"),
            ("t.db", "select a, a from t", 65, "two columns of the query have the name `a`"),
            ("t.db", "select place from t order by id", 65, 'row 0, column `place`: \\"north\\" is not a number'),
            ("t.db", "select a from t where a > 99", 65, "there are no rows")):
        exe = build(vaec, write(folder, "wrong.vae", f"""
var x : real
source rows {{ x = sqlite("{path}", "{query}") }}
decoder p {{ x ~ Normal(parameter([])) }}
learn symmetric {{ steps = 1 }}
"""), folder)
        result = call(exe, "train", "--quiet", cwd=folder)
        wanted = cause.replace('\\"', '"')
        assert result.returncode == code and wanted in result.stderr and len(result.stderr.splitlines()) == 1, result
    assert (folder / "t.db").read_bytes() == before


def cifar(folder, archive):
    """Writes six small batches of CIFAR-10 and returns their records."""
    source, records = random.Random(3), {}
    for number, name in enumerate([f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]):
        records[name] = [bytes([(number + i) % 10]) + source.randbytes(3072) for i in range(1 + number % 2)]
    folder.mkdir(parents=True)
    if not archive:
        for name, rows in records.items():
            (folder / name).write_bytes(b"".join(rows))
        return records
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as tar:
        tar.add(".", "cifar-10-batches-bin", recursive=False)
        for name, body in [("readme.html", b"<p>"), *((name, b"".join(rows)) for name, rows in records.items())]:
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return records


def test_cifar10_is_read_from_its_archive_and_from_its_files(folder, vaec):
    for archive, place in ((True, "cifar10"), (False, "cifar-10-batches-bin")):
        own = folder / place
        records = cifar(own / "data" / place, archive)
        rows = [row for name, batch in records.items() for row in batch]
        sources = {"image": 'cifar10("all").image', "train": 'cifar10("train")', "test": 'cifar10("test").image'}
        os.environ["VAEC_DATA"], before = str(own / "data"), os.environ.get("VAEC_DATA", "")
        try:
            read = Reading(own, vaec, sources, shape="[3, 32, 32]")
            pixels = [[byte / 255 for byte in row[1:]] for row in rows]
            near(read("image"), pixels)
            near(read("train"), pixels[:-2])
            near(read("test"), pixels[-2:])
            own.joinpath("labels").mkdir()
            near(Reading(own / "labels", vaec, {"label": 'cifar10("all").label'})("label"), [row[0] for row in rows])
        finally:
            os.environ["VAEC_DATA"] = before


def test_a_broken_cifar10_is_named(folder, vaec):
    exe = build(vaec, write(folder, "c.vae", """
var x : unit[3, 32, 32]
source rows { x = cifar10("test").image }
decoder p { x ~ ContinuousBernoulli(parameter([3, 32, 32])) }
learn symmetric { steps = 1 }
"""), folder)
    place = folder / "data/cifar10"
    place.mkdir(parents=True)
    with tarfile.open(place / "cifar-10-binary.tar.gz", "w:gz"):
        pass
    for content, cause in ((None, "there is no `test_batch.bin` in it"), (bytes(3000), "3000 bytes are not whole records"),
                           (bytes([11]) + bytes(3072), "record 0 has the label 11")):
        if content is not None:
            (place / "cifar-10-binary.tar.gz").unlink(missing_ok=True)
            (place / "test_batch.bin").write_bytes(content)
        result = call(exe, "train", "--quiet", cwd=folder, env={"VAEC_DATA": str(folder / "data")})
        assert result.returncode == 65 and cause in result.stderr, result
    result = call(exe, "train", "--quiet", cwd=folder, env=environment(folder / "home", "none"))
    assert result.returncode == 66 and "cifar10 needs cifar-10-binary.tar.gz" in result.stderr, result


def idx(axes, body):
    return b"\0\0\x08" + bytes([len(axes)]) + struct.pack(f">{len(axes)}I", *axes) + body


def test_kmnist_is_read_as_mnist_is(folder, vaec):
    raw = folder / "KMNIST/raw"
    raw.mkdir(parents=True)
    source = random.Random(4)
    images = {part: source.randbytes(2 * 784) for part in ("train", "t10k")}
    for part, body in images.items():
        (raw / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx([2, 28, 28], body)))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx([2], b"\x03\x07"))
    read = Reading(folder, vaec, {"all": 'kmnist("all").image'}, shape="[28, 28]")
    near(read("all"), [[byte / 255 for byte in body[784 * i:784 * (i + 1)]] for body in images.values() for i in (0, 1)])
    assert call(vaec, "data", "get", "kmnist", env={"VAEC_DATA": str(folder)}).stdout == f"{raw}\n"


def test_sets_are_asked_for_and_checked(folder, vaec):
    for name, first in (("kmnist", "t10k-images-idx3-ubyte.gz"), ("cifar10", "cifar-10-binary.tar.gz")):
        with Server({f"/{name}/{first}": b"something else"}) as server:
            result = call(vaec, "data", "get", name, env=environment(folder, server.url))
            refused(result, 65, f"{server.url}/{name}/{first}", "its MD5 is ")
            assert server.asked == [(f"/{name}/{first}", 0)], server.asked
        assert kept(folder / ".cache/vaec" / name) == []


def test_statistics_of_another_table(folder, vaec):
    write(folder, "train.csv", "a,b,word\n1,5,x\n3,5,y\n5,5,z\n")
    write(folder, "test.csv", "b,a,word\n6,3,x\n7,9,y\n")
    read = Reading(folder, vaec, {
        "table": "normalize(test, by = train).a", "column": "normalize(test.a, train.a)",
        "other": "normalize(test.b, by = train.b)", "itself": "normalize(train, by = train).a",
        "vector": 'normalize(csv("test.csv", ["a"]), by = csv("train.csv", ["a"]))'},
        lets='let train = csv("train.csv")\nlet test = csv("test.csv")')
    deviation = math.sqrt(8 / 3)
    for name in ("table", "column", "vector"):
        near(read(name), [0, 6 / deviation])
    near(read("other"), [1, 2])  # the deviation of a constant counts as 1
    near(read("itself"), [-2 / deviation, 0, 2 / deviation])
    for text, cause in (('normalize(test, by = csv("other.csv")).a', 'csv("other.csv") has no finite numbers `a`'),
                        ('normalize(idx("v.idx"), by = idx("w.idx"))', "the statistics of idx(\"w.idx\") have [2]")):
        write(folder, "other.csv", "c,d\n1,2\n")
        (folder / "v.idx").write_bytes(idx([2, 3], bytes(6)))
        (folder / "w.idx").write_bytes(idx([3, 2], bytes(6)))
        exe = build(vaec, write(folder, "wrong.vae", f"""
var x : real
let test = csv("test.csv")
source rows {{ x = {text} }}
decoder p {{ x ~ Normal(parameter([])) }}
learn symmetric {{ steps = 1 }}
"""), folder)
        result = call(exe, "train", "--quiet", cwd=folder)
        assert result.returncode == 65 and cause in result.stderr, result
