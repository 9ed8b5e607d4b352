// `publish (c, x)`: which variables leave the program. Whether the players can draw them is checked in
// game/rows/published.cpp.
#include "compiler/semantics/analysis.h"

namespace semantics {

void analyse_publication(const syntax::Tree& tree, Analysis& analysis) {
  const syntax::Declaration* first = nullptr;
  for (const syntax::Declaration& declaration : tree.declarations) {
    const auto* decl = std::get_if<syntax::PublishDecl>(&declaration.kind);
    if (!decl) continue;
    if (first) {
      analysis.report.add(base::E0113, declaration.span, "a second `publish`", "a file")
          .note(first->span, "the first is here")
          .help("list all variables in one: `publish (c, x)`");
      continue;
    }
    first = &declaration;
    Publication publication{{}, declaration.span};
    std::map<VariableId, base::Span> listed;
    for (const syntax::Reference& reference : decl->variables) {
      const auto variable = analysis.resolve(reference, analysis.evaluator.top());
      if (!variable) continue;
      const auto [place, fresh] = listed.insert({*variable, reference.span});
      if (fresh) {
        publication.variables.push_back(*variable);
      } else {
        analysis.report.add(base::E0615, reference.span, analysis.model[*variable].name)
            .note(place->second, "it is listed here first");
      }
    }
    if (!publication.variables.empty()) analysis.model.publication = std::move(publication);
  }
}

}  // namespace semantics
