#include "compiler/lsp/names/names.h"

#include <algorithm>
#include <set>

#include "compiler/semantics/data/data_functions.h"
#include "compiler/semantics/expressions/evaluation.h"

namespace lsp {
namespace {
using namespace syntax;
using base::Span;
using Table = std::map<std::string, int>;

/// The names of a block. `outer` is the block around it.
struct Block {
  const Block* outer = nullptr;
  Table names = {};
  int scope = -1;  // index into Names::scopes

  const int* find(const std::string& name) const {
    for (const Block* block = this; block; block = block->outer)
      if (const auto found = block->names.find(name); found != block->names.end()) return &found->second;
    return nullptr;
  }
};

class Resolver {
 public:
  explicit Resolver(const Program& program) : program_(program) {}

  Names run() {
    // The library's families are the last file. They are declared too, so that names can refer to them.
    for (const Tree& tree : program_.trees)
      for (const Declaration& declaration : tree.declarations) declare(declaration);
    for (const Tree& tree : program_.trees)
      for (const Declaration& declaration : tree.declarations) resolve(declaration);
    auto& list = names_.occurrences;
    const auto place = [](const Occurrence& o) {
      return std::tuple(o.span.file.index, o.span.begin, o.span.end);
    };
    std::ranges::stable_sort(list, {}, place);
    const auto repeated = std::ranges::unique(list, {}, place);
    list.erase(repeated.begin(), repeated.end());
    return std::move(names_);
  }

 private:
  // ---- symbols

  int add(SymbolKind kind, const Name& name, Span whole) {
    const int symbol = static_cast<int>(names_.symbols.size());
    names_.symbols.push_back({kind, name.text, name.span, whole, {}});
    name_at(name.span, symbol);
    return symbol;
  }

  void name_at(Span span, int symbol) { names_.occurrences.push_back({span, symbol}); }

  /// A word of the language.
  void word_at(const Name& name, SymbolKind kind, const std::string& owner = "") {
    const auto [found, fresh] = words_.insert({{kind, owner + " " + name.text}, 0});
    if (fresh) {
      found->second = static_cast<int>(names_.symbols.size());
      names_.symbols.push_back({kind, name.text, {}, {}, {}});
      names_.symbols.back().owner = owner;
    }
    name_at(name.span, found->second);
  }

  Symbol& symbol(int index) { return names_.symbols[static_cast<size_t>(index)]; }

  void declare_top(SymbolKind kind, const Name& name, Span whole) {
    names_.top.insert({name.text, add(kind, name, whole)});
  }

  void declare(const Declaration& declaration) {
    const Span whole = declaration.span;
    if (const auto* param = std::get_if<ParamDecl>(&declaration.kind)) {
      declare_top(SymbolKind::param, param->name, whole);
    } else if (const auto* let = std::get_if<LetDecl>(&declaration.kind)) {
      for (const Reference& target : let->assign.targets) declare_top(SymbolKind::let, target.name, whole);
    } else if (const auto* var = std::get_if<VarDecl>(&declaration.kind)) {
      for (const auto& item : var->items) declare_top(SymbolKind::variable, item.name, whole);
    } else if (const auto* family = std::get_if<FamilyDecl>(&declaration.kind)) {
      declare_top(SymbolKind::family, family->name, whole);
      declare_parameters(*family);
    } else if (const auto* net = std::get_if<NetDecl>(&declaration.kind)) {
      declare_top(SymbolKind::net, net->name, whole);
      declare_parameters(*net, names_.top.at(net->name.text));
    } else if (const auto* player = std::get_if<PlayerDecl>(&declaration.kind)) {
      declare_top(SymbolKind::player, player->name, whole);
      collect_targets(player->body, symbol(names_.top.at(player->name.text)).targets);
    } else if (const auto* source = std::get_if<SourceDecl>(&declaration.kind)) {
      declare_top(SymbolKind::source, source->name, whole);
    } else if (const auto* learn = std::get_if<LearnDecl>(&declaration.kind)) {
      if (learn->as) add(SymbolKind::learn, *learn->as, whole);
    }
  }

  // Calls before and after a declaration may name its parameters, so all parameters are entered first.
  void declare_parameters(const FamilyDecl& family) {
    const int owner = names_.top.at(family.name.text);
    for (const auto& parameter : family.parameters) declare_parameter(owner, parameter.name, parameter.span);
    for (const Statement& statement : family.body)
      if (const auto* from = std::get_if<From>(&statement.kind))
        for (const auto& parameter : from->parameters)
          declare_parameter(owner, parameter.name, statement.span);
  }

  void declare_parameters(const NetDecl& net, int owner) {
    for (const auto& parameter : net.parameters)
      declare_parameter(owner, parameter.name, parameter.name.span);
  }

  void declare_parameter(int owner, const Name& name, Span whole) {
    const int parameter = add(SymbolKind::parameter, name, whole);
    symbol(owner).parameters.insert({name.text, parameter});
  }

  void collect_targets(const syntax::Block& block, std::vector<std::string>& targets) {
    for (const Statement& statement : block) {
      if (const auto* conditional = std::get_if<ConditionalDecl>(&statement.kind)) {
        if (std::ranges::find(targets, conditional->target.name.text) == targets.end())
          targets.push_back(conditional->target.name.text);
      } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
        collect_targets(loop->body, targets);
      } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
        collect_targets(choice->then_body, targets);
        collect_targets(choice->else_body, targets);
      }
    }
  }

  // ---- blocks

  Block open(const Block* outer, Span span) {
    names_.scopes.push_back({span, {}});
    return {outer, {}, static_cast<int>(names_.scopes.size()) - 1};
  }

  void enter(Block& block, const std::string& name, int symbol) {
    block.names[name] = symbol;
    names_.scopes[static_cast<size_t>(block.scope)].symbols.push_back(symbol);
  }

  /// A name that a statement binds. If it is bound again in the same block, it stays the same symbol.
  void bind(Block& block, const Name& name, Span whole) {
    if (const auto found = block.names.find(name.text); found != block.names.end()) {
      name_at(name.span, found->second);
    } else {
      enter(block, name.text, add(SymbolKind::local, name, whole));
    }
  }

  // ---- declarations

  void resolve(const Declaration& declaration) {
    const Block top{};
    if (const auto* param = std::get_if<ParamDecl>(&declaration.kind)) {
      expression(param->value, top);
    } else if (const auto* let = std::get_if<LetDecl>(&declaration.kind)) {
      expression(let->assign.value, top);
    } else if (const auto* var = std::get_if<VarDecl>(&declaration.kind)) {
      for (const auto& item : var->items) expression(item.count, top);
      domain(var->domain, top);
    } else if (const auto* publish = std::get_if<PublishDecl>(&declaration.kind)) {
      for (const Reference& item : publish->variables) reference(item, top);
    } else if (const auto* family = std::get_if<FamilyDecl>(&declaration.kind)) {
      resolve(*family, declaration.span);
    } else if (const auto* net = std::get_if<NetDecl>(&declaration.kind)) {
      resolve(*net, names_.top.at(net->name.text), top, declaration.span);
    } else if (const auto* source = std::get_if<SourceDecl>(&declaration.kind)) {
      expression(source->weight, top);
      Block block = open(&top, declaration.span);
      for (const Statement& statement : source->body) resolve(statement, block, Place::source);
    } else if (const auto* player = std::get_if<PlayerDecl>(&declaration.kind)) {
      Block block = open(&top, declaration.span);
      for (const Statement& statement : player->body) resolve(statement, block, Place::player);
    } else if (const auto* learn = std::get_if<LearnDecl>(&declaration.kind)) {
      resolve(*learn);
    }
  }

  void resolve(const FamilyDecl& family, Span span) {
    Block block = open(nullptr, span);
    // The `K` of `category(K)` is the number of classes, unless the file declares a `K`.
    for (const auto* list : {&family.domain.arguments, &family.domain.shape})
      for (const ExprPtr& extent : *list)
        if (extent && extent->kind == ExprKind::name && !names_.top.count(extent->text) &&
            !block.names.count(extent->text))
          enter(block, extent->text,
                add(SymbolKind::local, {extent->text, extent->span}, family.domain.span));
    domain(family.domain, block);
    const Table& parameters = symbol(names_.top.at(family.name.text)).parameters;
    for (const auto& parameter : family.parameters) {
      if (parameter.domain) domain(*parameter.domain, block);
      expression(parameter.fallback, block);
    }
    for (const auto& [name, parameter] : Table(parameters)) enter(block, name, parameter);
    bind(block, family.variable, span);
    for (const Statement& statement : family.body) resolve(statement, block, Place::family);
  }

  void resolve(const NetDecl& net, int owner, const Block& outer, Span span) {
    Block block = open(&outer, span);
    const Table parameters = symbol(owner).parameters;
    for (const auto& parameter : net.parameters) {
      expression(parameter.fallback, block);
      enter(block, parameter.name.text, parameters.at(parameter.name.text));
    }
    for (const Statement& statement : net.body) resolve(statement, block, Place::net);
  }

  void resolve(const LearnDecl& learn) {
    word_at(learn.method, SymbolKind::method);
    for (const Statement& statement : learn.body) {
      const auto* assign = std::get_if<Assign>(&statement.kind);
      if (!assign || assign->targets.empty()) continue;
      const Name& key = assign->targets.front().name;
      word_at(key, SymbolKind::key, learn.method.text);
      // The names in a map are declared in the file. Only those in the map `every` are words of the language.
      of_learn_ = key.text != "every";
      expression(assign->value, Block{});
      of_learn_ = false;
    }
  }

  // ---- statements

  enum class Place { net, player, source, family };

  void resolve(const syntax::Block& block, Block& names, Place place) {
    for (const Statement& statement : block) resolve(statement, names, place);
  }

  void resolve(const Statement& statement, Block& block, Place place) {
    if (const auto* assign = std::get_if<Assign>(&statement.kind)) {
      resolve(*assign, block, place, statement.span);
    } else if (const auto* given = std::get_if<Return>(&statement.kind)) {
      expression(given->value, block);
    } else if (const auto* loop = std::get_if<For>(&statement.kind)) {
      expression(loop->range, block);
      bind(block, loop->variable, loop->range ? loop->range->span : statement.span);
      resolve(loop->body, block, place);
    } else if (const auto* choice = std::get_if<If>(&statement.kind)) {
      expression(choice->condition, block);
      resolve(choice->then_body, block, place);
      resolve(choice->else_body, block, place);
    } else if (const auto* conditional = std::get_if<ConditionalDecl>(&statement.kind)) {
      reference(conditional->target, block);
      for (const Reference& parent : conditional->parents) reference(parent, block);
      expression(conditional->family, block);
    } else if (const auto* complete = std::get_if<Complete>(&statement.kind)) {
      if (complete->gibbs)
        for (const Argument& argument : complete->gibbs->arguments) expression(argument.value, block);
      for (const auto& item : complete->items) {
        reference(item.variable, block);
        expression(item.sampler, block);
      }
    } else if (const auto* from = std::get_if<From>(&statement.kind)) {
      for (const auto& parameter : from->parameters) domain(parameter.domain, block);
      resolve(from->body, block, Place::net);
    } else if (const auto* net = std::get_if<std::unique_ptr<NetDecl>>(&statement.kind)) {
      const int owner = add(SymbolKind::net, (*net)->name, (*net)->span);
      enter(block, (*net)->name.text, owner);
      declare_parameters(**net, owner);
      resolve(**net, owner, block, (*net)->span);
    }
  }

  void resolve(const Assign& assign, Block& block, Place place, Span whole) {
    expression(assign.value, block);
    for (const Reference& target : assign.targets) {
      expression(target.index, block);
      if (place == Place::source && !assign.let) {
        variable(target.name);
      } else if (place == Place::family && !assign.let) {
        word_at(target.name, SymbolKind::property);
      } else {
        bind(block, target.name, whole);
      }
    }
  }

  /// `z` or `z[1]` as a target or parent. Here, a local name does not hide a variable.
  void reference(const Reference& reference, const Block& block) {
    variable(reference.name);
    expression(reference.index, block);
  }

  void variable(const Name& name) {
    if (const auto found = names_.top.find(name.text); found != names_.top.end())
      name_at(name.span, found->second);
  }

  // ---- expressions

  void domain(const DomainExpr& domain, const Block& block) {
    word_at(domain.name, SymbolKind::domain);
    for (const ExprPtr& argument : domain.arguments) expression(argument, block);
    for (const ExprPtr& extent : domain.shape) expression(extent, block);
  }

  /// `z` of the key `z[0]` of a map.
  static Name without_index(Name key) {
    const size_t index = std::min(key.text.find('['), key.text.size());
    key.span.end -= key.text.size() - index;
    key.text.resize(index);
    return key;
  }

  void expression(const ExprPtr& expr, const Block& block) {
    if (expr) expression(*expr, block);
  }

  void expression(const Expr& expr, const Block& block) {
    if (expr.kind == ExprKind::name) name(expr, block);
    for (const ExprPtr& operand : expr.operands) expression(operand, block);
    if (expr.kind == ExprKind::field) field(expr, block);
    const int* called = expr.kind == ExprKind::call ? called_by(expr, block) : nullptr;
    for (const Argument& argument : expr.arguments) {
      if (argument.name && expr.kind == ExprKind::map && of_learn_) variable(without_index(*argument.name));
      if (argument.name && called) parameter(*called, *argument.name);
      expression(argument.value, block);
    }
    for (const Subscript& subscript : expr.subscripts) {
      expression(subscript.begin, block);
      expression(subscript.end, block);
    }
  }

  const int* find(const std::string& name, const Block& block) const {
    if (const int* local = block.find(name)) return local;
    const auto found = names_.top.find(name);
    if (found == names_.top.end()) return nullptr;
    // A source is not a value, so its name may also be that of a reader.
    const bool reader = names_.symbols[static_cast<size_t>(found->second)].kind == SymbolKind::source &&
                        semantics::find_data_function(name);
    return reader ? nullptr : &found->second;
  }

  void name(const Expr& expr, const Block& block) {
    if (const int* found = find(expr.text, block)) {
      name_at(expr.span, *found);
    } else if (semantics::find_builtin(expr.text) || semantics::find_data_function(expr.text) ||
               semantics::data_elementwise(expr.text)) {
      word_at({expr.text, expr.span}, SymbolKind::function);
    }
  }

  /// The variable in `p.z` or `average(p).z`.
  void field(const Expr& expr, const Block& block) {
    const Expr* from = expr.operands.empty() ? nullptr : expr.operands.front().get();
    if (from && from->kind == ExprKind::call && from->arguments.size() == 1 && !from->operands.empty() &&
        from->operands.front()->text == "average")
      from = from->arguments.front().value.get();
    if (!from || from->kind != ExprKind::name) return;
    const int* found = find(from->text, block);
    if (found && symbol(*found).kind == SymbolKind::player) variable({expr.text, expr.text_span});
  }

  const int* called_by(const Expr& call, const Block& block) const {
    const Expr* callee = call.operands.empty() ? nullptr : call.operands.front().get();
    return callee && callee->kind == ExprKind::name ? find(callee->text, block) : nullptr;
  }

  /// The name of an argument in a call of the symbol `called`.
  void parameter(int called, const Name& name) {
    const Table& parameters = symbol(called).parameters;
    if (const auto found = parameters.find(name.text); found != parameters.end())
      name_at(name.span, found->second);
  }

  const Program& program_;
  Names names_;
  std::map<std::pair<SymbolKind, std::string>, int> words_;
  bool of_learn_ = false;
};

}  // namespace

const Occurrence* Names::at(base::FileId file, uint32_t offset) const {
  const Occurrence* before = nullptr;
  for (const Occurrence& occurrence : occurrences) {
    if (occurrence.span.file != file || offset < occurrence.span.begin || offset > occurrence.span.end)
      continue;
    if (offset < occurrence.span.end) return &occurrence;
    before = &occurrence;
  }
  return before;
}

Names resolve_names(const Program& program) { return Resolver(program).run(); }

}  // namespace lsp
