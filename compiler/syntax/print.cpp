#include <charconv>

#include "compiler/syntax/parse.h"
#include "runtime/shared/printable.h"

namespace syntax {

namespace {

std::string quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\n')
      quoted += "\\n";
    else if (c == '\t')
      quoted += "\\t";
    else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return printable(quoted) + '"';
}

/// Prints expressions on one line, with all brackets, to show the precedence.
class ExprPrinter {
 public:
  std::string operator()(const ExprPtr& expr) const { return expr ? print(*expr) : "?"; }

  std::string list(const std::vector<ExprPtr>& items) const {
    std::string text;
    for (const ExprPtr& item : items) text += (text.empty() ? "" : ", ") + print(*item);
    return text;
  }

 private:
  std::string print(const Expr& expr) const {
    switch (expr.kind) {
      case ExprKind::integer:
        return std::to_string(expr.integer);
      case ExprKind::real: {
        char digits[32];
        const auto [end, error] = std::to_chars(digits, digits + sizeof digits, expr.real);
        std::string text(digits, end);
        return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
      }
      case ExprKind::boolean:
        return expr.boolean ? "true" : "false";
      case ExprKind::string:
        return quote(expr.text);
      case ExprKind::name:
        return expr.text;
      case ExprKind::list:
        return fmt::format("[{}]", list(expr.operands));
      case ExprKind::tuple:
        return fmt::format("({})", list(expr.operands));
      case ExprKind::map:
        return fmt::format("{{{}}}", arguments(expr, ": "));
      case ExprKind::call:
        return fmt::format("{}({})", print(*expr.operands[0]), arguments(expr, " = "));
      case ExprKind::index:
        return fmt::format("{}[{}]", print(*expr.operands[0]), subscripts(expr));
      case ExprKind::field:
        return print(*expr.operands[0]) + "." + expr.text;
      case ExprKind::unary:
        return fmt::format("({}{}{})", expr.text, expr.text == "not" ? " " : "", print(*expr.operands[0]));
      case ExprKind::binary:
        return fmt::format("({} {} {})", print(*expr.operands[0]), expr.text, print(*expr.operands[1]));
    }
    return "";
  }

  std::string arguments(const Expr& expr, const char* between) const {
    std::string text;
    for (const Argument& argument : expr.arguments)
      text += (text.empty() ? "" : ", ") + (argument.name ? argument.name->text + between : "") +
              print(*argument.value);
    return text;
  }

  std::string subscripts(const Expr& expr) const {
    std::string text;
    for (const Subscript& subscript : expr.subscripts) {
      if (!text.empty()) text += ", ";
      if (subscript.begin) text += print(*subscript.begin);
      if (subscript.slice) text += ":";
      if (subscript.end) text += print(*subscript.end);
    }
    return text;
  }
};

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

class TreePrinter {
 public:
  std::string print(const Tree& tree) {
    for (const Declaration& item : tree.declarations) {
      std::visit(
          Overloaded{
              [&](const ImportDecl& d) { line("import " + (d.path ? quote(d.what.text) : d.what.text)); },
              [&](const ParamDecl& d) { line("param " + d.name.text + " = " + expr_(d.value)); },
              [&](const LetDecl& d) { assign(d.assign); },
              [&](const VarDecl& d) { variable(d); },
              [&](const PublishDecl& d) {
                std::string names;
                for (const Reference& item : d.variables)
                  names += (names.empty() ? "" : ", ") + reference(item);
                line(fmt::format("publish ({})", names));
              },
              [&](const FamilyDecl& d) { family(d); },
              [&](const NetDecl& d) { net(d); },
              [&](const SourceDecl& d) {
                line("source " + d.name.text + (d.weight ? fmt::format(" weight {}", expr_(d.weight)) : ""));
                block(d.body);
              },
              [&](const PlayerDecl& d) {
                const char* roles[] = {"decoder ", "encoder ", "player "};
                line(roles[static_cast<int>(d.role)] + d.name.text);
                block(d.body);
              },
              [&](const LearnDecl& d) {
                line("learn " + d.method.text + (d.as ? " as " + d.as->text : ""));
                block(d.body);
              },
          },
          item.kind);
    }
    return std::move(out_);
  }

 private:
  void line(const std::string& text) { out_ += std::string(2 * depth_, ' ') + text + '\n'; }

  void block(const Block& body) {
    ++depth_;
    for (const Statement& item : body) statement(item);
    --depth_;
  }

  std::string reference(const Reference& item) const {
    return item.name.text + (item.index ? fmt::format("[{}]", expr_(item.index)) : "");
  }

  std::string domain(const DomainExpr& d) const {
    return d.name.text + (d.arguments.empty() ? "" : fmt::format("({})", expr_.list(d.arguments))) +
           (d.shape.empty() ? "" : fmt::format("[{}]", expr_.list(d.shape)));
  }

  void variable(const VarDecl& d) {
    std::string names;
    for (const auto& item : d.items)
      names += (names.empty() ? "" : ", ") + item.name.text +
               (item.count ? fmt::format("[{}]", expr_(item.count)) : "");
    line("var " + names + " : " + domain(d.domain));
  }

  void family(const FamilyDecl& d) {
    std::string parameters;
    for (const auto& item : d.parameters)
      parameters += (parameters.empty() ? "" : ", ") + std::string(item.fixed ? "fixed " : "") +
                    item.name.text + (item.domain ? " : " + domain(*item.domain) : "") +
                    (item.fallback ? " = " + expr_(item.fallback) : "");
    line("family " + d.name.text + "(" + parameters + ") over " + d.variable.text + " : " + domain(d.domain));
    block(d.body);
  }

  void net(const NetDecl& d) {
    std::string parameters;
    for (const auto& item : d.parameters)
      parameters += (parameters.empty() ? "" : ", ") + item.name.text +
                    (item.fallback ? " = " + expr_(item.fallback) : "");
    line("net " + d.name.text + "(" + parameters + ")");
    block(d.body);
  }

  void assign(const Assign& a) {
    std::string targets;
    for (const Reference& target : a.targets) targets += (targets.empty() ? "" : ", ") + reference(target);
    if (a.tuple) targets = fmt::format("({})", targets);
    line((a.let ? "let " : "") + targets + " = " + expr_(a.value));
  }

  void branch(const If& i) {
    line("if " + expr_(i.condition));
    block(i.then_body);
    if (i.else_body.empty()) return;
    line("else");
    block(i.else_body);
  }

  void statement(const Statement& item) {
    std::visit(Overloaded{
                   [&](const Assign& a) { assign(a); },
                   [&](const Return& r) { line("return " + expr_(r.value)); },
                   [&](const For& f) {
                     line("for " + f.variable.text + " in " + expr_(f.range));
                     block(f.body);
                   },
                   [&](const If& i) { branch(i); },
                   [&](const ConditionalDecl& c) {
                     std::string parents;
                     for (const Reference& parent : c.parents)
                       parents += (parents.empty() ? " | " : ", ") + reference(parent);
                     line(reference(c.target) + parents + " ~ " + expr_(c.family));
                   },
                   [&](const Complete& c) {
                     line(c.gibbs ? "complete " + expr_(c.gibbs) : std::string("complete"));
                     ++depth_;
                     for (const auto& entry : c.items)
                       line(reference(entry.variable) + " ~ " + expr_(entry.sampler));
                     --depth_;
                   },
                   [&](const From& f) {
                     std::string parameters;
                     for (const auto& p : f.parameters)
                       parameters +=
                           (parameters.empty() ? "" : ", ") + p.name.text + " : " + domain(p.domain);
                     line("from " + parameters);
                     block(f.body);
                   },
                   [&](const std::unique_ptr<NetDecl>& n) { net(*n); },
               },
               item.kind);
  }

  ExprPrinter expr_;
  std::string out_;
  size_t depth_ = 0;
};

}  // namespace

std::string print(const Tree& tree) { return TreePrinter().print(tree); }

}  // namespace syntax
