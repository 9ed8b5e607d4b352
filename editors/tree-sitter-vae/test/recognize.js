// Checks grammar.js without tree-sitter. It reads the grammar as tree-sitter's `generate` does, and recognizes files
// with Earley's algorithm. It cannot find conflicts between rules, and it does not test the scanner in C: end() below
// repeats the rule of that scanner.  usage: node recognize.js FILE...   The exit code is 1 if a file is refused.
const fs = require("node:fs");
const path = require("node:path");

const normal = (rule) =>
  typeof rule === "string" ? { type: "STRING", value: rule }
  : rule instanceof RegExp ? { type: "PATTERN", value: rule }
  : rule;
const group = (type) => (...members) => ({ type, members: members.map(normal) });
const content = (...given) => normal(given.at(-1));
Object.assign(globalThis, {
  seq: group("SEQ"),
  choice: group("CHOICE"),
  repeat: (rule) => ({ type: "REPEAT", content: normal(rule) }),
  optional: (rule) => ({ type: "CHOICE", members: [normal(rule), { type: "BLANK" }] }),
  prec: Object.assign(content, { left: content, right: content }),
  field: content,
  alias: (rule) => normal(rule),
  token: (rule) => ({ type: "TOKEN", content: normal(rule) }),
  grammar: (given) => given,
});

const given = require(path.join(__dirname, "../grammar.js"));
const names = new Proxy({}, { get: (_, name) => ({ type: "SYMBOL", name }) });
const reserved = new Set("import param family net var source decoder encoder player learn let return for in if else and or not true false".split(" "));

// Productions: name -> lists of symbols; a symbol is a name, or a terminal.
const productions = new Map();
const made = new Map();
let count = 0;

function symbolOf(rule) {
  if (rule.type === "SYMBOL") return rule.name;
  if (rule.type === "STRING" || rule.type === "PATTERN") return rule;
  const name = `#${count++}`;
  productions.set(name, alternatives(rule, name));
  return name;
}

function alternatives(rule, own) {
  switch (rule.type) {
    case "BLANK": return [[]];
    case "SEQ": return [rule.members.map(symbolOf)];
    case "CHOICE": return rule.members.flatMap((member) => alternatives(member));
    case "REPEAT": return [[], [own ?? symbolOf(rule), symbolOf(rule.content)].filter(Boolean)];
    default: return [[symbolOf(rule)]];
  }
}

for (const [name, rule] of Object.entries(given.rules)) {
  const body = normal(rule(names));
  if (body.type === "TOKEN") continue; // comments are in `extras`
  const inner = body.type === "REPEAT" ? { type: "SEQ", members: [body] } : body;
  productions.set(name, alternatives(inner));
}

const isName = (text) => /^[\p{L}_][\p{L}\w]*$/u.test(text);

/// The length of the terminal at the position `at`; -1 if the text does not have this terminal there.
function match(terminal, text, at) {
  if (terminal.type === "STRING") {
    if (!text.startsWith(terminal.value, at)) return -1;
    if (isName(terminal.value) && /[\p{L}\w]/u.test(text[at + terminal.value.length] ?? "")) return -1;
    return terminal.value.length;
  }
  if (!made.has(terminal)) made.set(terminal, new RegExp(terminal.value.source, "uy"));
  const pattern = made.get(terminal);
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (!found || reserved.has(found[0])) return -1;
  if (/^\d/.test(found[0]) && /[\w.]/.test(text[at + found[0].length] ?? "")) return -1;
  return found[0].length;
}

const blank = (text, at, pattern) => {
  pattern.lastIndex = at;
  return at + pattern.exec(text)[0].length;
};
const extras = (text, at) => blank(text, at, /(\s|\/\/[^\n]*|\/\*[^*]*\*+([^/*][^*]*\*+)*\/)*/y);
/// The position after the end of a statement, or -1: the rule of src/scanner.c. Comments before it are skipped.
function end(text, at) {
  const before = blank(text, at, /([ \t\r]|\/\/[^\n]*|\/\*[^*]*\*+([^/*][^*]*\*+)*\/)*/y);
  if (text[before] === ";") return before + 1;
  if (text[before] !== "\n") return -1;
  const next = blank(text, before, /\s*/y);
  return text[next] === "{" || /^else(?![\p{L}\w])/u.test(text.slice(next)) ? -1 : before + 1;
}

/// The offset after which no rule can continue, or -1 if the whole file is recognized.
function refusedAt(text) {
  const charts = new Map();
  const queue = [];
  const add = (at, name, body, dot, origin) => {
    if (!charts.has(at)) charts.set(at, { items: [], seen: new Set(), waiting: new Map(), empty: new Set() }), queue.push(at);
    const chart = charts.get(at);
    const key = `${name}:${body}:${dot}:${origin}`;
    if (!chart.seen.has(key)) chart.seen.add(key), chart.items.push({ name, body, dot, origin });
  };
  productions.get("file").forEach((_, body) => add(0, "file", body, 0, 0));
  let furthest = 0;
  while (queue.length > 0) {
    queue.sort((a, b) => a - b);
    const at = queue.shift();
    furthest = at;
    const chart = charts.get(at);
    const start = extras(text, at);
    const scanned = [];
    for (let i = 0; i < chart.items.length; ++i) {
      const item = chart.items[i];
      const next = productions.get(item.name)[item.body][item.dot];
      if (next === undefined) {
        if (item.origin === at) chart.empty.add(item.name);
        for (const parent of charts.get(item.origin).waiting.get(item.name) ?? [])
          add(at, parent.name, parent.body, parent.dot + 1, parent.origin);
      } else if (next === "_end" || typeof next !== "string") {
        scanned.push([next, item]);
      } else if (typeof next === "string") {
        if (!chart.waiting.has(next)) chart.waiting.set(next, []);
        chart.waiting.get(next).push(item);
        productions.get(next).forEach((_, body) => add(at, next, body, 0, at));
        if (chart.empty.has(next)) add(at, item.name, item.body, item.dot + 1, item.origin);
      }
    }
    // Where a statement may end, end() is asked before any terminal is read.
    const after = scanned.some(([next]) => next === "_end") ? end(text, at) : -1;
    for (const [next, item] of scanned) {
      const length = next === "_end" || after >= 0 ? -1 : match(next, text, start);
      if (next === "_end" && after >= 0) add(after, item.name, item.body, item.dot + 1, item.origin);
      if (length > 0) add(start + length, item.name, item.body, item.dot + 1, item.origin);
    }
    const whole = chart.items.some((item) => item.name === "file" && item.origin === 0 &&
      item.dot === productions.get("file")[item.body].length);
    if (whole && extras(text, at) === text.length) return -1;
  }
  return furthest;
}

let refused = 0;
for (const file of process.argv.slice(2)) {
  const text = fs.readFileSync(file, "utf8");
  const at = refusedAt(text);
  if (at < 0) continue;
  ++refused;
  console.log(`${file}:${text.slice(0, at).split("\n").length}: the grammar goes no further than here`);
}
process.exit(refused > 0 ? 1 : 0);
