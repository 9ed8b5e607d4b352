// Tests the TextMate grammar: words have the right scopes, and every name in the examples and the library has one.
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const test = require("node:test");
const { loadWASM, OnigScanner, OnigString } = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const root = path.join(__dirname, "../../..");
const file = path.join(__dirname, "../syntaxes/vae.tmLanguage.json");

async function grammar() {
  const wasm = require.resolve("vscode-oniguruma/release/onig.wasm");
  await loadWASM(fs.readFileSync(wasm).buffer);
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new OnigScanner(patterns),
      createOnigString: (text) => new OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, "utf8"), file),
  });
  return registry.loadGrammar("source.vae");
}

/// Returns [text, innermost scope] for each token.
function tokens(loaded, text) {
  let stack = INITIAL;
  return text.split("\n").flatMap((line) => {
    const result = loaded.tokenizeLine(line, stack);
    stack = result.ruleStack;
    return result.tokens.map((token) => [line.slice(token.startIndex, token.endIndex), token.scopes.at(-1)]);
  });
}

const loading = grammar();

test("words are coloured as what they are", async () => {
  const text = `// comment
param η = 20_000
family F(fixed n) over x : count { log_base = 0 }
source s weight 5 { x = csv("a\\n.csv", comment = none) > 0.5 }
decoder p { x | z ~ Normal(net2(z), std = 1e-3) }
learn elbo as other { weight = {s: 2}; from = 1 }
source b { complete { z ~ p } }
publish (x, publish)`;
  const found = tokens(await loading, text);
  const scope = (word) => (found.find(([token]) => token === word) || [])[1];
  const expected = {
    param: "keyword.declaration.vae", η: "entity.name.function.vae", "20_000": "constant.numeric.vae",
    fixed: "keyword.other.vae", over: "keyword.other.vae", count: "storage.type.vae", weight: "keyword.other.vae",
    csv: "entity.name.function.call.vae", "\\n": "constant.character.escape.vae", none: "constant.language.vae",
    "0.5": "constant.numeric.vae", decoder: "keyword.declaration.vae", Normal: "entity.name.type.vae",
    "1e-3": "constant.numeric.vae", std: "variable.parameter.vae", elbo: "support.type.method.vae",
    as: "keyword.other.vae", complete: "keyword.other.vae", "|": "keyword.operator.draw.vae",
    from: "variable.parameter.vae",
  };
  for (const [word, wanted] of Object.entries(expected)) assert.equal(scope(word), wanted, word);
  const weights = found.filter(([token]) => token === "weight").map(([, innermost]) => innermost);
  assert.deepEqual(weights, ["keyword.other.vae", "variable.parameter.vae"]);
  const published = found.filter(([token]) => token === "publish").map(([, innermost]) => innermost);
  assert.deepEqual(published, ["keyword.declaration.vae", "variable.other.vae"]);
});

test("nothing of an example is illegal or left without a colour", async () => {
  const folders = fs.readdirSync(path.join(root, "examples")).map((name) => path.join(root, "examples", name));
  const files = [path.join(root, "stdlib"), ...folders]
    .filter((folder) => fs.statSync(folder).isDirectory())
    .flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)))
    .filter((name) => name.endsWith(".vae"));
  assert.ok(files.length > 10);
  for (const name of files) {
    for (const [token, scope] of tokens(await loading, fs.readFileSync(name, "utf8"))) {
      assert.ok(!scope.startsWith("invalid"), `${name}: ${token}`);
      assert.ok(!/[\p{L}\d]/u.test(token) || scope !== "source.vae", `${name}: ${token}`);
    }
  }
});
