#include "compiler/lsp/completion.h"

#include <set>

#include "compiler/lsp/descriptions.h"
#include "compiler/semantics/analysis.h"
#include "compiler/semantics/data/data_functions.h"
#include "compiler/semantics/expressions/evaluation.h"
#include "compiler/semantics/learn/learn_words.h"
#include "compiler/semantics/stdlib_text.h"
#include "compiler/syntax/words.h"

namespace lsp {
namespace {
using nlohmann::json;
using syntax::Word;

/// The values of CompletionItemKind in the protocol.
enum Kind {
  function = 3,
  field = 5,
  variable = 6,
  type = 7,
  module = 9,
  property = 10,
  value = 12,
  keyword = 14,
  constant = 21
};

int kind_of(SymbolKind symbol) {
  switch (symbol) {
    case SymbolKind::net:
    case SymbolKind::function:
      return Kind::function;
    case SymbolKind::family:
    case SymbolKind::domain:
      return Kind::type;
    case SymbolKind::player:
    case SymbolKind::source:
      return Kind::module;
    case SymbolKind::key:
    case SymbolKind::property:
      return Kind::property;
    case SymbolKind::method:
      return Kind::value;
    case SymbolKind::param:
      return Kind::constant;
    default:
      return Kind::variable;
  }
}

/// The text before the place where the user writes.
struct Context {
  std::vector<Word> before;  // without comments, and without the word that is being written
  struct Bracket {
    char opening;
    size_t at;  // the index into `before`
  };
  std::vector<Bracket> open;  // the outermost first
};

class Completer {
 public:
  Completer(const Document& document, uint32_t offset) : document_(document), offset_(offset) {
    if (!read_context()) return;
    choose();
  }

  json take() { return std::move(items_); }

 private:
  std::string_view text(const Word& word) const { return document_.program().sources.text(word.span); }
  std::string_view word(size_t from_end) const {
    return from_end < context_.before.size() ? text(context_.before[context_.before.size() - 1 - from_end])
                                             : "";
  }
  bool begins_line() const {
    if (context_.before.empty()) return true;
    const std::string_view last = word(0);
    return context_.before.back().kind == Word::Kind::newline || last == ";" || last == "{" || last == "}";
  }

  /// Returns false inside a comment, a string or a number.
  bool read_context() {
    for (const Word& next : syntax::words(document_.program().own().file, document_.program().sources)) {
      if (next.span.begin >= offset_) break;
      const bool touched = next.span.end >= offset_;
      const bool closed = next.span.end == offset_ && next.kind == Word::Kind::symbol;
      if (touched && next.kind == Word::Kind::newline) break;
      if (touched && !closed) return next.kind == Word::Kind::name || next.kind == Word::Kind::reserved;
      if (next.kind == Word::Kind::comment) continue;
      const std::string_view written = text(next);
      if (written == "(" || written == "[" || written == "{")
        context_.open.push_back({written[0], context_.before.size()});
      if ((written == ")" || written == "]" || written == "}") && !context_.open.empty())
        context_.open.pop_back();
      context_.before.push_back(next);
    }
    return true;
  }

  void choose() {
    if (word(0) == "import") return add_modules();
    if (word(0) == "learn") return add_words(semantics::method_names(), SymbolKind::method);
    if (word(0) == ".") return add_fields();
    if (word(0) == ":" && in_declaration("var", "family", "from")) {
      return add_words(semantics::domain_names(), SymbolKind::domain);
    }
    if (word(0) == "~") return add_families();
    if (context_.open.empty() && begins_line()) return add_keywords(syntax::declaration_words());
    if (!context_.open.empty() && context_.open.back().opening == '{' && begins_line())
      return add_statements();
    if (publishes()) return add_top({SymbolKind::variable});
    if (!context_.open.empty() && context_.open.back().opening == '(' && (word(0) == "(" || word(0) == ","))
      add_arguments();
    add_names();
  }

  /// Whether the place is in the list of `publish (c, x)`.
  bool publishes() const {
    if (context_.open.size() != 1 || context_.open[0].opening != '(' || context_.open[0].at == 0)
      return false;
    return text(context_.before[context_.open[0].at - 1]) == "publish";
  }

  /// Whether the statement begins with one of these words.
  template <class... Words>
  bool in_declaration(const Words&... words) const {
    for (size_t i = context_.before.size(); i-- > 0;) {
      const std::string_view written = text(context_.before[i]);
      if (((written == words) || ...)) return true;
      if (context_.before[i].kind == Word::Kind::newline || written == ";" || written == "{") return false;
    }
    return false;
  }

  /// The first word of the declaration that contains the innermost block, such as `learn` or `decoder`, and
  /// the word after it.
  std::pair<std::string_view, std::string_view> block() const {
    for (auto bracket = context_.open.rbegin(); bracket != context_.open.rend(); ++bracket) {
      if (bracket->opening != '{') continue;
      for (size_t i = bracket->at; i-- > 0;) {
        const Word& candidate = context_.before[i];
        if (candidate.kind == Word::Kind::newline || text(candidate) == "}") break;
        const auto& known = syntax::declaration_words();
        if (std::ranges::find(known, text(candidate)) != known.end())
          return {text(candidate), i + 1 < context_.before.size() ? text(context_.before[i + 1]) : ""};
      }
    }
    return {};
  }

  // ---- items

  void add(const std::string& label, int kind, std::string_view help = {}, const std::string& detail = "") {
    if (label.empty() || !seen_.insert(label).second) return;
    json item = {{"label", label}, {"kind", kind}};
    if (!detail.empty()) item["detail"] = detail;
    if (!help.empty()) item["documentation"] = {{"kind", "markdown"}, {"value", help}};
    items_.push_back(std::move(item));
  }

  void add_words(const std::vector<std::string>& words, SymbolKind kind) {
    for (const std::string& name : words) add(name, kind_of(kind), description(kind, name));
  }

  void add_keywords(const std::vector<std::string_view>& words) {
    for (const std::string_view name : words) add(std::string(name), Kind::keyword);
  }

  void add_function(const std::string& name) {
    add(name, Kind::function, description(SymbolKind::function, name), signature_text(name));
  }

  void add_modules() {
    for (const std::string& name : semantics::stdlib_names()) add(name, Kind::module);
  }

  void add_top(std::initializer_list<SymbolKind> kinds) {
    const Names& names = document_.whole_names();
    for (const Names* from : {&document_.names(), &names})
      for (const auto& [name, index] : from->top) {
        const SymbolKind kind = from->symbols[static_cast<size_t>(index)].kind;
        if (std::ranges::find(kinds, kind) != kinds.end()) add(name, kind_of(kind));
      }
  }

  void add_families() {
    add_top({SymbolKind::family});
    if (block().first == "source") add_top({SymbolKind::player});
  }

  void add_statements() {
    const auto [declaration, name] = block();
    if (declaration == "learn")
      return add_words(semantics::keys_of_method(std::string(name)), SymbolKind::key);
    if (declaration == "family") {
      std::vector<std::string> properties;
      for (const auto& known : semantics::family_properties()) properties.emplace_back(known.name);
      add_words(properties, SymbolKind::property);
      add("from", Kind::keyword);
      add("let", Kind::keyword);
      return;
    }
    add_keywords(syntax::statement_words());
    if (declaration == "net") return add_names();
    add_top({SymbolKind::variable});
  }

  /// Adds the variables of a player, or the columns of a reader, whose name stands before the dot.
  void add_fields() {
    const std::string name(word(1));
    for (const Names* names : {&document_.names(), &document_.whole_names()}) {
      const auto found = names->top.find(name);
      if (found == names->top.end()) continue;
      for (const std::string& target : names->symbols[static_cast<size_t>(found->second)].targets)
        add(target, Kind::variable);
    }
    if (word(1) != ")") return;
    int depth = 0;
    for (size_t i = context_.before.size() - 1; i-- > 0;) {
      depth += text(context_.before[i]) == ")" ? 1 : text(context_.before[i]) == "(" ? -1 : 0;
      if (depth != 0 || i == 0) continue;
      if (const auto* reader = semantics::find_data_function(std::string(text(context_.before[i - 1]))))
        for (const std::string& column : reader->columns) add(column, Kind::field);
      return;
    }
  }

  /// Adds the parameters of the function that is called.
  void add_arguments() {
    const size_t at = context_.open.back().at;
    if (at == 0) return;
    const std::string name(text(context_.before[at - 1]));
    for (const Names* names : {&document_.names(), &document_.whole_names()})
      for (const Symbol& symbol : names->symbols)
        if (symbol.name == name && !symbol.parameters.empty())
          for (const auto& [parameter, index] : symbol.parameters) add(parameter + " = ", Kind::property);
    if (const auto* builtin = semantics::find_builtin(name))
      for (const auto& parameter : semantics::signature_of(*builtin).parameters)
        if (parameter.optional) add(parameter.name + " = ", Kind::property);
    if (const auto* reader = semantics::find_data_function(name))
      for (const auto& argument : reader->arguments)
        if (!argument.required) add(argument.name + " = ", Kind::property);
  }

  void add_names() {
    for (const Names* names : {&document_.names(), &document_.whole_names()})
      for (const NameScope& scope : names->scopes)
        if (scope.span.file.index == 0 && scope.span.begin <= offset_ && offset_ <= scope.span.end)
          for (const int index : scope.symbols) {
            const Symbol& symbol = names->symbols[static_cast<size_t>(index)];
            add(symbol.name, kind_of(symbol.kind));
          }
    add_top({SymbolKind::param, SymbolKind::let, SymbolKind::variable, SymbolKind::net, SymbolKind::player});
    const std::string_view declaration = block().first;
    if (declaration == "learn") return add_top({SymbolKind::source});
    if (declaration == "source" || declaration.empty())
      for (const std::string& name : semantics::data_function_names()) add_function(name);
    for (const auto* table :
         {&semantics::pointwise_builtins(), &semantics::tensor_builtins(), &semantics::layer_builtins()})
      for (const semantics::Builtin& builtin : *table) add_function(builtin.name);
    if (declaration == "family")
      for (const semantics::Builtin& builtin : semantics::family_builtins()) add_function(builtin.name);
    for (const char* name : {"pi", "true", "false", "and", "or", "not"}) add(name, Kind::keyword);
  }

  const Document& document_;
  uint32_t offset_;
  Context context_;
  json items_ = json::array();
  std::set<std::string> seen_;
};

}  // namespace

json completions(const Document& document, uint32_t offset) { return Completer(document, offset).take(); }

}  // namespace lsp
