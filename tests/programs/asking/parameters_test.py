#!/usr/bin/env python3
"""Tests that the networks of the published hierarchies have the published numbers of parameters (Flach et al.,
AISTATS 2024)."""
import json
import math

from executable import ROOT, build, succeed


def counts(example, folder, vaec):
    """Returns a dict of numbers of parameters. The key "player" counts all parameters of the player. The key
    "player.variable" counts those of one conditional; it leaves out the parameters of a `let`."""
    exe = build(vaec, ROOT / f"examples/{example}/{example}.vae", folder)
    found = {}
    for player in json.loads(succeed(exe, "info", "--json").stdout)["players"]:
        sizes = {name: math.prod(shape) for name, shape in player["tensors"].items()}
        assert sum(sizes.values()) == player["parameters"], player
        found[player["name"]] = player["parameters"]
        for name, size in sizes.items():
            conditional = ".".join(name.split(".")[:2])
            found[conditional] = found.get(conditional, 0) + size
    return found


def test_the_ladder_has_the_published_networks(folder, vaec):
    found = counts("ladder", folder, vaec)
    assert found["q"] == 2_202_386, found                                        # the recognition network r
    assert (found["p.z1"], found["p.x"]) == (442_300, 375_457), found            # f01 and the generator
    assert found["p"] == 442_300 + 375_457, found


def test_the_reverse_hierarchy_has_the_published_networks(folder, vaec):
    found = counts("reverse", folder, vaec)
    assert (found["q.z1"], found["q.z0"]) == (1_460_156, 802_830), found
    assert found["q"] == 1_460_156 + 802_830, found
    assert (found["p.z1"], found["p.x"]) == (442_300, 375_457), found
