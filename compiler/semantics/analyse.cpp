#include "compiler/semantics/analyse.h"

#include <filesystem>

#include "compiler/semantics/analysis.h"
#include "compiler/semantics/data/labelled_folders.h"
#include "compiler/semantics/data/own_statistics.h"

namespace semantics {

// Names come first, then players, because sources and learn blocks refer to players. Which variables are
// given is known only after players and sources.
Model analyse(const syntax::Tree& tree, const Options& options, base::SourceSet& sources,
              base::Report& report) {
  Model model;
  model.name = std::filesystem::path(sources.file(tree.file).name).stem().string();
  Evaluator evaluator(model, sources, report);
  evaluator.observed = options.observed;
  Analysis analysis{model, evaluator, sources, report, options, {}, {}, {}, {}};
  std::deque<syntax::Tree> imported;
  const Files files = read_imports(tree, imported, analysis);
  // After a broken import, every name that the file would have declared would be reported as unknown: stop
  // here.
  if (analysis.broken_import) return model;
  declare_names(files, analysis);
  check_defines(analysis);
  analyse_players(tree, analysis);
  analyse_sources(tree, analysis);
  analyse_publication(tree, analysis);
  mark_labelled_folders(model);
  warn_of_own_statistics(model, report);
  check_determined(analysis);
  analyse_learn(tree, analysis);
  check_uncalled_nets(analysis);
  evaluator.check_families();
  return model;
}

}  // namespace semantics
