// Folders of pictures whose labels a source uses. Pictures without a class are then not rows. This holds for
// every source that reads the folder, so that rows of its columns belong together.
#pragma once
#include "compiler/semantics/model.h"

namespace semantics {

/// Marks the readers of pictures whose labels are used. Called after the sources.
void mark_labelled_folders(Model& model);

}  // namespace semantics
