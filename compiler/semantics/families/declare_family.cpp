// Checks the words of a family's declaration before anything in it is evaluated. Its domain, parameters and
// properties must be known and complete, and each given once. The density is checked where the family is
// used.
#include <algorithm>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/expressions/evaluation.h"

namespace semantics {
namespace {
using namespace syntax;

struct FamilyReader {
  const FamilyDecl& decl;
  base::Report& report;
  std::map<std::string, base::Span> names;  // the parameters and the variable
  bool good = true;

  base::Diagnostic& refuse(base::Diagnostic& error) {
    good = false;
    return error;
  }

  std::optional<DomainKind> kind_of(const DomainExpr& domain) {
    if (const auto kind = kind_of_domain(domain.name.text)) return kind;
    suggest_among(refuse(report.add(base::E0203, domain.name.span, domain.name.text)), domain.name.text,
                  domain_names(), "the domains are");
    return {};
  }

  /// The domain of the family: one value of a domain, or a vector of reals.
  void read_domain() {
    const auto kind = kind_of(decl.domain);
    if (!kind) return;
    const bool classes = *kind == DomainKind::category || *kind == DomainKind::simplex;
    if (decl.domain.arguments.size() != (classes ? 1 : 0)) {
      refuse(report.add(base::E0204, decl.domain.name.span, decl.domain.name.text,
                        classes ? "one argument, the number of classes" : "no argument"));
      return;
    }
    if (decl.domain.shape.size() <= (*kind == DomainKind::real ? 1 : 0)) return;
    refuse(report.add(base::E0410, decl.domain.span, report.sources().text(decl.domain.span)))
        .help(
            "a family is over one value, `category(K)`, `simplex(K)` or `real[K]`; it applies to each "
            "element "
            "of a shaped variable");
  }

  void name(const Name& given, const std::string& what) {
    const auto [first, fresh] = names.insert({given.text, given.span});
    if (fresh) return;
    refuse(report.add(base::E0201, given.span, given.text))
        .label("declared again, as " + what)
        .note(first->second, "it is declared here");
  }

  void read_parameters() {
    for (const auto& parameter : decl.parameters) {
      name(parameter.name, "a parameter");
      if (parameter.domain) kind_of(*parameter.domain);
    }
    name(decl.variable, "the variable");
  }

  void read_body() {
    std::map<std::string, base::Span> given;
    for (const Statement& statement : decl.body) {
      if (const auto* from = std::get_if<From>(&statement.kind)) read_from(*from);
      const auto* assign = std::get_if<Assign>(&statement.kind);
      if (!assign || assign->let) continue;
      const Reference& target = assign->targets[0];
      const std::string& property = target.name.text;
      const auto& known = family_properties();
      if (assign->tuple || std::none_of(known.begin(), known.end(),
                                        [&](const auto& entry) { return property == entry.name; })) {
        std::vector<std::string> words;
        for (const auto& entry : known) words.push_back(entry.name);
        suggest_among(refuse(report.add(base::E0404, target.span, property)), property, words,
                      "the properties are");
        return;
      }
      const auto [first, fresh] = given.insert({property, target.span});
      if (!fresh)
        refuse(report.add(base::E0201, target.span, property)).note(first->second, "it is declared here");
    }
    for (const auto& entry : family_properties())
      if (entry.required && !given.count(entry.name))
        refuse(report.add(base::E0403, decl.name.span, decl.name.text, entry.name));
  }

  /// A `from` assigns parameters, each once, and has arguments with names of its own.
  void read_from(const From& from) {
    for (const auto& parameter : from.parameters) {
      name(parameter.name, "an argument of `from`");
      kind_of(parameter.domain);
    }
    for (const Statement& statement : from.body) {
      const auto* assign = std::get_if<Assign>(&statement.kind);
      if (!assign || assign->let) continue;
      for (const Reference& target : assign->targets) {
        const auto found =
            std::find_if(decl.parameters.begin(), decl.parameters.end(),
                         [&](const auto& parameter) { return parameter.name.text == target.name.text; });
        if (found != decl.parameters.end() && !found->fixed) continue;
        auto& error = refuse(report.add(base::E0411, target.span, target.name.text, decl.name.text));
        if (found != decl.parameters.end())
          error.note(found->span, "it is `fixed`, and known when compiling");
        if (found == decl.parameters.end()) error.help("`let` names what is only needed on the way");
      }
    }
  }
};

}  // namespace

bool declare_family(const FamilyDecl& decl, base::Report& report) {
  FamilyReader reader{decl, report, {}};
  reader.read_domain();
  reader.read_parameters();
  reader.read_body();
  return reader.good;
}

}  // namespace semantics
