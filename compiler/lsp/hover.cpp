#include "compiler/lsp/hover.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "compiler/game/names.h"
#include "compiler/lsp/descriptions.h"

namespace lsp {
namespace {

std::string code(std::string_view text) { return fmt::format("```vae\n{}\n```", text); }

/// The comment lines right above a declaration, without their slashes.
std::string comment_above(const base::SourceSet& sources, base::Span at) {
  std::vector<std::string> lines;
  for (int line = sources.place(at.file, at.begin).line - 1; line >= 1; --line) {
    std::string_view text = sources.line(at.file, line);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    if (!text.starts_with("//")) break;
    text.remove_prefix(2);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    lines.emplace_back(text);
  }
  std::ranges::reverse(lines);
  return fmt::format("{}", fmt::join(lines, "\n"));
}

/// A declaration without its block, on one line.
std::string heading(std::string_view text) {
  constexpr size_t longest = 300;
  text = text.substr(0, std::min(text.find_first_of("{\n"), text.size()));
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() <= longest) return std::string(text);
  size_t end = longest;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

class Describer {
 public:
  Describer(const Document& document, const Occurrence& occurrence)
      : document_(document), occurrence_(occurrence), symbol_(document.names()[occurrence]) {}

  std::string text() {
    if (!symbol_.in_a_file()) return word();
    const base::SourceSet& sources = document_.program().sources;
    const std::string declared = heading(sources.text(symbol_.whole));
    switch (symbol_.kind) {
      case SymbolKind::variable:
        add(code(variable_line()));
        add_shape();
        add_source_of_values();
        break;
      case SymbolKind::player:
        add(code(declared));
        add(comment_above(sources, symbol_.whole));
        add_player();
        break;
      case SymbolKind::local:
      case SymbolKind::let:
      case SymbolKind::param:
      case SymbolKind::parameter:
        add(code(declared.empty() ? symbol_.name : declared));
        add_shape();
        break;
      case SymbolKind::net:
      case SymbolKind::family:
        add(code(declared));
        add(comment_above(sources, symbol_.whole));
        add_shape();
        break;
      default:
        add(code(declared));
        add(comment_above(sources, symbol_.whole));
    }
    if (sources.file(symbol_.declared.file).library) add("From the standard library.");
    return std::move(text_);
  }

 private:
  void add(const std::string& part) {
    if (part.empty()) return;
    text_ += (text_.empty() ? "" : "\n\n") + part;
  }

  std::string word() {
    add(code(symbol_.kind == SymbolKind::function ? signature_text(symbol_.name) : symbol_.name));
    add(std::string(description(symbol_.kind, symbol_.name)));
    if (symbol_.kind == SymbolKind::key) add(fmt::format("A key of `learn {}`.", symbol_.owner));
    if (symbol_.kind == SymbolKind::function) add_shape();
    return std::move(text_);
  }

  /// The declaration of one variable: `var x : binary[28, 28]` from `var x, y : binary[28, 28]`.
  std::string variable_line() const {
    const auto& sources = document_.program().sources;
    std::string whole(sources.text(symbol_.whole));
    const size_t colon = whole.find(':');
    if (colon == std::string::npos) return whole;
    std::string_view rest = std::string_view(whole).substr(symbol_.declared.end - symbol_.whole.begin);
    const size_t bracket = rest.find_first_not_of(' ');
    std::string count;
    if (bracket != std::string_view::npos && rest[bracket] == '[')
      count = std::string(rest.substr(bracket, rest.find(']') + 1 - bracket));
    return "var " + symbol_.name + count + " " + heading(std::string_view(whole).substr(colon));
  }

  /// Adds what the analysis observed at this place, at the call that begins here, or at the declaration.
  void add_shape() {
    const auto& observed = document_.analysis().observed;
    const auto* seen = observed.find(occurrence_.span);
    if (!seen) seen = observed.find(call_at(occurrence_.span));
    if (!seen && symbol_.declared.file == document_.program().own().file)
      seen = observed.find(symbol_.declared);
    if (!seen) return;
    const bool value = symbol_.kind == SymbolKind::param;
    const bool family = symbol_.kind == SymbolKind::family;
    add(fmt::format("{}: `{}`", value ? "Value" : family ? "Parameters" : "Shape", fmt::join(*seen, "`, `")));
  }

  /// The span from a name to the closing bracket of its arguments.
  base::Span call_at(base::Span name) const {
    const std::string& text = document_.text();
    if (name.end >= text.size() || text[name.end] != '(') return name;
    int depth = 0;
    for (uint32_t i = name.end; i < text.size(); ++i) {
      if (text[i] == '(') ++depth;
      if (text[i] == ')' && --depth == 0) return {name.file, name.begin, i + 1};
    }
    return name;
  }

  void add_source_of_values() {
    if (!document_.analysis().checked) return;
    const semantics::Model& model = document_.analysis().checked->model;
    const auto named = [&](semantics::VariableId id) {
      const std::string& name = model[id].name;
      return name == symbol_.name || name.starts_with(symbol_.name + "[");
    };
    std::vector<std::string> given, drawn;
    for (const semantics::Source& source : model.sources)
      if (std::ranges::any_of(source.givens, [&](const auto& item) { return named(item.variable); }))
        given.push_back("`" + source.name + "`");
    for (size_t c = 0; c < model.conditionals.size(); ++c)
      if (const auto& conditional = model.conditionals[c];
          conditional.player.index >= 0 && named(conditional.target))
        drawn.push_back("`" + game::conditional_text(model, {static_cast<int32_t>(c)}) + "`");
    if (!given.empty()) add(fmt::format("Given by the sources {}.", fmt::join(given, ", ")));
    if (!drawn.empty()) add(fmt::format("Conditionals: {}.", fmt::join(drawn, ", ")));
  }

  void add_player() {
    if (!document_.analysis().checked) return;
    const semantics::Model& model = document_.analysis().checked->model;
    const game::Game& game = document_.analysis().checked->game;
    for (size_t p = 0; p < model.players.size(); ++p) {
      const semantics::Player& player = model.players[p];
      if (player.name != symbol_.name) continue;
      std::string list;
      for (const semantics::ConditionalId id : player.conditionals)
        list += fmt::format("- `{}`: {}\n", game::conditional_text(model, id), model[id].family);
      if (!list.empty()) list.pop_back();
      add(list);
      int64_t numbers = 0;
      for (const semantics::ParameterId id : player.parameters) numbers += semantics::count(model[id].shape);
      add(fmt::format("Parameters: {}", numbers));
      if (p < game.utilities.size()) add(fmt::format("Maximizes `{}`", game.utilities[p]));
    }
  }

  const Document& document_;
  const Occurrence& occurrence_;
  const Symbol& symbol_;
  std::string text_;
};

}  // namespace

std::optional<Hover> hover(const Document& document, uint32_t offset) {
  const Occurrence* occurrence = document.names().at(document.program().own().file, offset);
  if (!occurrence) return {};
  std::string text = Describer(document, *occurrence).text();
  if (text.empty()) return {};
  return Hover{occurrence->span, std::move(text)};
}

}  // namespace lsp
