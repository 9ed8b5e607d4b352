#!/usr/bin/env python3
"""Tests programs that are very long, very deep, or wrong in many places. vaec accepts them, or refuses them with one
clear cause, and never crashes."""
from executable import call, write

HEAD = """var x : real[4]
var z : real[4]
source s { x ~ Normal(0); z ~ Normal(0) }
"""
LEARN = "learn symmetric { steps = 10 }\n"
LONG = 20_000


def player(argument, before=""):
    return HEAD + before + "decoder p { x | z ~ Normal(" + argument + ") }\n" + LEARN


def net(statements):
    return player("f(z)", "net f(z) {\n a = dense(z, 4)\n" + statements + " return a\n}\n")


def param(text):
    return "param a = " + text + "\n" + player("dense(z, 4)")


def understood(folder, vaec, text, command="check"):
    result = call(vaec, command, write(folder, "long.vae", text), cwd=folder, timeout=300)
    assert (result.returncode, result.stderr) == (0, ""), f"{text[:300]}\n{result}"
    return result.stdout


def refused(folder, vaec, text, cause, *flags):
    result = call(vaec, "check", *flags, write(folder, "long.vae", text), cwd=folder, timeout=300)
    assert result.returncode == 1 and cause in result.stderr.splitlines()[0], f"{text[:300]}\n{result.stderr[:2000]}"
    assert result.stderr.count("error") == 1 or flags, result.stderr[:2000]
    return result.stderr


def test_deep_syntax_has_a_limit(folder, vaec):
    deep = "[E0119]: brackets nest more than 200 deep"
    for text in [param("(" * LONG + "1" + ")" * LONG), param("[" * LONG + "1" + "]" * LONG),
                 param("abs(" * LONG + "1" + ")" * LONG), player("sin(" * LONG + "z" + ")" * LONG),
                 player("where(1 > 0, 1, " * LONG + "z" + ")" * LONG),
                 net("if true { " * LONG + "a = a + 1" + " }" * LONG + "\n"),
                 net("for i in range(0, 1) { " * LONG + "a = a + 1" + " }" * LONG + "\n"), "(" * LONG, "{" * LONG]:
        refused(folder, vaec, text, deep)
    # One error at the first place stands for all lists beside it.
    refused(folder, vaec, param("(" * 200 + "[" + "[1], " * LONG + "]" + ")" * 200), deep)
    for text in [param("-" * LONG + "1"), param("not " * LONG + "true"), param("1 ** " * LONG + "1"),
                 param("1 + " * 5 * LONG + "1"), param("true and " * LONG + "true"), player("z" + ".z" * LONG),
                 player("z" + "[0]" * LONG), player("z" + "(1)" * LONG), net(" a = " + "a + " * LONG + "a\n")]:
        refused(folder, vaec, text, "[E0111]: this expression is more than 1000 operations deep")


def test_unrolled_code_has_a_limit(folder, vaec):
    twice = " for i in range(0, 1000000) { for j in range(0, 1000000) { a = a } }\n"
    refused(folder, vaec, net(twice), "[E0311]: this unrolls to more than a million statements")
    refused(folder, vaec, net("if a { a = a } " + "else if a { a = a } " * 300 + "\n"),
            "[E0120]: one `if` has more than 200 branches")


def test_long_programs_are_understood(folder, vaec):
    chain = "".join(f"param a{i + 1} = a{i} + 1\n" for i in range(LONG))
    backwards = "".join(f"param a{i + 1} = a{i} + 1\n" for i in reversed(range(5 * LONG)))
    views = " a = transpose(reshape(a, [2, 2]), [1, 0])\n" * LONG + " a = flatten(a)\n"
    for text in [chain + "param a0 = 1\n" + player("dense(z, 4)"),
                 backwards + "param a0 = 1\n" + player("dense(z, 4)"),
                 net(" for i in range(0, 100000) { a = a + 1 }\n"), net(views),
                 "/* a */ " * LONG + "\n" + player("dense(z, 4)"), ";" * 5 * LONG + "\n" + player("dense(z, 4)"),
                 HEAD + "\n" * 5 * LONG + "decoder p { x | z ~ Normal(dense(z, 4)) }\n"]:
        understood(folder, vaec, text)
    # Nets without a simple form: `explain` would look at both sides of every sum.
    added = net(" for i in range(0, 20000) { a = a + parameter([4]) }\n").replace("decoder", "player")
    doubled = net(" a = relu(a)\n for i in range(0, 60) { a = a + a }\n").replace("decoder", "player")
    for text in [added, doubled]:
        understood(folder, vaec, text.replace(LEARN, "player q { z | x ~ Normal(dense(x, 4)) }\n" + LEARN), "explain")


def test_a_player_may_be_as_deep_as_its_file_is_long(folder, vaec):
    count = 3000
    variables = "".join(f"var v{i} : real\n" for i in range(count))
    given = "source s { " + "; ".join(f"v{i} ~ Normal(0)" for i in range(count)) + " }\n"
    lines = [f"v{i} | v{(i + 1) % count} ~ Normal(v{(i + 1) % count} * parameter([]))" for i in range(count)]
    understood(folder, vaec, variables + given + "player p { " + "; ".join(lines[:-1]) + " }\n" + LEARN)
    text = refused(folder, vaec, variables + given + "player p { " + "; ".join(lines) + " }\n" + LEARN, "[E0504]")
    assert "v0 → v2999" in text or "v2999 → v2998" in text, text[:300]


def test_data_have_a_limit(folder, vaec):
    def data(count, line, last="t{}"):
        lets = 'let t0 = csv("d.csv")\n' + "".join(f"let t{i + 1} = {line.format(i)}\n" for i in range(count))
        body = f"x = {last.format(count)}; z ~ Normal(0) }}\ndecoder p {{ x | z ~ Normal(dense(z, 4)) }}\n" + LEARN
        return ["var x : real[4]\nvar z : real[4]\n" + text + body
                for text in ("source s { " + lets, lets + "source s { ")]

    for text in data(900, "t{} + 1"):
        understood(folder, vaec, text)
    for text in data(LONG, "t{} + 1") + data(0, "", "min(t0, " + "1, " * LONG + "2)"):
        refused(folder, vaec, text, "[E0618]: these data are more than 1000 operations deep")
    for text in data(60, "t{0} + t{0}"):
        refused(folder, vaec, text, "[E0619]: these data are made by more than 10000 operations")


def test_a_family_has_a_limit(folder, vaec):
    lets = "let a0 = mean\n" + "".join(f"let a{i + 1} = sin(a{i})\n" for i in range(LONG))
    family = ("family F(mean : real) over x : real {\n" + lets + "statistic = x\nnatural = mean\n"
              "log_partition = 0.5 * mean * mean\nlog_base = -0.5 * x * x - 0.5 * log(2 * pi)\n"
              "sample = mean + normal()\n}\n")
    refused(folder, vaec, family + HEAD + "decoder p { x | z ~ F(dense(z, 4)) }\n" + LEARN,
            "[E0413]: the body of `F` has more than 1000 operations")


def test_values_on_the_command_line_have_a_limit(folder, vaec):
    text = player("dense(z, 4)", "param a = [1]\n")
    for value in ["(" * LONG + "1" + ")" * LONG, "[" * LONG + "1" + "]" * LONG, "[" * LONG, "-" * LONG + "1"]:
        message = refused(folder, vaec, text, "[E0002]", "-D", "a=" + value)
        assert len(message) < 1000, message[:2000]
        refused(folder, vaec, text, "[E0002]", "-D", "b=" + value)


def test_imports_have_a_limit(folder, vaec):
    for i in range(300):
        write(folder, f"f{i}.vae", f'import "f{i + 1}.vae"\n')
    write(folder, "f300.vae", "param b = 1\n")
    refused(folder, vaec, 'import "f0.vae"\n' + player("dense(z, 4)"),
            "[E0219]: files import one another more than 100 deep")


def test_many_errors_are_told_in_one_run(folder, vaec):
    names = "".join(f"param a{i} = nn{i}\n" for i in range(LONG))
    result = call(vaec, "check", write(folder, "long.vae", names + player("dense(z, 4)")), cwd=folder, timeout=300)
    assert result.returncode == 1 and result.stderr.count("[E0220]") == LONG
    quotes = 'param p = "\n' * LONG
    result = call(vaec, "check", write(folder, "long.vae", quotes), cwd=folder, timeout=300)
    assert result.returncode == 1 and result.stderr.count("[E0105]") == LONG
