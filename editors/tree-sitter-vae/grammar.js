// The grammar of .vae files for tree-sitter. It follows grammar/Vae.g4. A newline ends a statement where a statement
// may end; src/scanner.c finds these places.
/// <reference types="tree-sitter-cli/dsl" />

const list = (rule) => seq(rule, repeat(seq(",", rule)), optional(","));

module.exports = grammar({
  name: "vae",
  word: ($) => $.identifier,
  externals: ($) => [$._end],
  extras: ($) => [/\s/, $.comment],
  supertypes: ($) => [$._expression],

  rules: {
    file: ($) =>
      seq(
        repeat(choice($._end, seq($._line_declaration, $._end), $._block_declaration)),
        optional($._line_declaration),
      ),

    _line_declaration: ($) =>
      choice($.import, $.param, $.let, $.variable, $.publish, alias($.short_net, $.net)),
    _block_declaration: ($) => choice($.family, $.net, $.source, $.player, $.learn),

    import: ($) => seq("import", field("what", choice($.identifier, $.string))),
    param: ($) => seq("param", field("name", $.identifier), "=", field("value", $._expression)),
    variable: ($) => seq("var", list($.reference), ":", field("domain", $.domain)),
    publish: ($) => seq("publish", "(", list($.reference), ")"),
    domain: ($) =>
      prec.right(
        seq(
          field("name", $.identifier),
          optional(seq("(", optional(list($._expression)), ")")),
          optional(seq("[", optional(list($._expression)), "]")),
        ),
      ),

    family: ($) =>
      seq(
        "family",
        field("name", $.identifier),
        "(",
        optional(list($.family_parameter)),
        ")",
        "over",
        field("variable", $.identifier),
        ":",
        $.domain,
        $.block,
      ),
    family_parameter: ($) =>
      seq(
        optional("fixed"),
        field("name", $.identifier),
        optional(seq(":", $.domain)),
        optional(seq("=", $._expression)),
      ),
    net: ($) => seq($._net_head, field("body", $.block)),
    short_net: ($) => seq($._net_head, "=", field("body", $._expression)),
    _net_head: ($) =>
      seq("net", field("name", $.identifier), "(", optional(list($.net_parameter)), ")"),
    net_parameter: ($) => seq(field("name", $.identifier), optional(seq("=", $._expression))),
    source: ($) =>
      seq("source", field("name", $.identifier), optional(seq("weight", $._expression)), $.block),
    player: ($) =>
      seq(choice("decoder", "encoder", "player"), field("name", $.identifier), $.block),
    learn: ($) =>
      seq(
        "learn",
        field("method", $.identifier),
        optional(seq("as", field("name", $.identifier))),
        $.block,
      ),

    block: ($) =>
      seq(
        "{",
        repeat(choice($._end, seq($._line_statement, $._end), $._block_statement)),
        optional($._line_statement),
        "}",
      ),
    _line_statement: ($) =>
      choice($.let, $.assignment, $.conditional, $.return, alias($.short_net, $.net)),
    _block_statement: ($) => choice($.for, $.if, $.complete, $.from, $.net),

    let: ($) => seq("let", choice($.reference, $.names), "=", field("value", $._value)),
    assignment: ($) => seq(choice($.reference, $.names), "=", field("value", $._value)),
    conditional: ($) =>
      seq(
        field("target", $.reference),
        optional(seq("|", list(field("parent", $.reference)))),
        "~",
        field("family", $._expression),
      ),
    names: ($) => seq("(", list($.identifier), ")"),
    reference: ($) =>
      seq(field("name", $.identifier), optional(seq("[", field("index", $._expression), "]"))),
    return: ($) => seq("return", $._expression),
    for: ($) => seq("for", field("name", $.identifier), "in", $._expression, $.block),
    if: ($) =>
      prec.right(
        seq("if", $._expression, $.block, optional(seq("else", choice($.if, $.block)))),
      ),
    complete: ($) =>
      seq(
        "complete",
        optional(seq($.identifier, optional($.arguments))),
        "{",
        repeat(choice($._end, seq($.draw, $._end))),
        optional($.draw),
        "}",
      ),
    draw: ($) => seq(field("variable", $.reference), "~", $._expression),
    from: ($) => seq("from", list($.from_parameter), $.block),
    from_parameter: ($) => seq(field("name", $.identifier), ":", $.domain),

    _value: ($) => choice($._expression, $.map),
    map: ($) => seq("{", optional(list($.entry)), "}"),
    entry: ($) =>
      seq(field("key", $.identifier), optional(seq("[", $.integer, "]")), ":", field("value", $._value)),

    _expression: ($) =>
      choice(
        $.binary,
        $.unary,
        $.call,
        $.index,
        $.field,
        $.tuple,
        $.list,
        $.identifier,
        $.integer,
        $.real,
        $.string,
        $.boolean,
      ),
    binary: ($) =>
      choice(
        ...[
          [1, "or"],
          [2, "and"],
          [4, choice("<", "<=", ">", ">=", "==", "!=")],
          [5, choice("+", "-")],
          [6, choice("*", "/", "%", "@")],
        ].map(([level, operator]) =>
          prec.left(
            level,
            seq(
              field("left", $._expression),
              field("operator", operator),
              field("right", $._expression),
            ),
          ),
        ),
        prec.right(
          8,
          seq(field("left", $._expression), field("operator", "**"), field("right", $._expression)),
        ),
      ),
    unary: ($) => choice(prec(3, seq("not", $._expression)), prec(7, seq("-", $._expression))),
    call: ($) => prec(9, seq(field("function", $._expression), $.arguments)),
    arguments: ($) => seq("(", optional(list(choice($._expression, $.named_argument))), ")"),
    named_argument: ($) => seq(field("name", $.identifier), "=", field("value", $._value)),
    index: ($) => prec(9, seq($._expression, "[", list(choice($._expression, $.slice)), "]")),
    slice: ($) => seq(optional($._expression), ":", optional($._expression)),
    field: ($) => prec(9, seq($._expression, ".", field("name", $.identifier))),
    tuple: ($) => seq("(", list($._expression), ")"),
    list: ($) => seq("[", optional(list($._expression)), "]"),

    identifier: () => /[A-Za-z_\u0370-\u03ff\u1f00-\u1fff][A-Za-z0-9_\u0370-\u03ff\u1f00-\u1fff]*/,
    integer: () => /[0-9]+(_[0-9]+)*/,
    real: () =>
      /[0-9]+(_[0-9]+)*(\.[0-9]+(_[0-9]+)*([eE][+-]?[0-9]+(_[0-9]+)*)?|[eE][+-]?[0-9]+(_[0-9]+)*)/,
    string: () => /"([^"\\\r\n]|\\[^\r\n])*"/,
    boolean: () => choice("true", "false"),
    comment: () => token(choice(/\/\/[^\n]*/, /\/\*[^*]*\*+([^/*][^*]*\*+)*\//)),
  },
});
