// From a syntax tree to a typed model. In: a file's tree, the values of -D, and the set that owns all source
// text (imports are added to it). Out: the model. The report gets every error of the file, but no error that
// only follows from another. The model is complete only if the report has no errors.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "compiler/base/report.h"
#include "compiler/semantics/model.h"
#include "compiler/semantics/observations.h"
#include "compiler/syntax/tree.h"

namespace semantics {

struct Options {
  std::vector<std::pair<std::string, std::string>> defines;  // -D name=value, in order
  struct Key {
    std::string learn, key, text;  // replaces the value of `key` in the learn block named `learn`
  };
  std::vector<Key> keys = {};
  Observations* observed = nullptr;  // filled if not null
};

Model analyse(const syntax::Tree& tree, const Options& options, base::SourceSet& sources,
              base::Report& report);

}  // namespace semantics
