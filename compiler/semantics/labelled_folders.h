// Folders of pictures whose labels some source uses: pictures without a class are then no rows, for every
// source that reads the folder, so that the rows of its columns go together.
#pragma once
#include "compiler/semantics/model.h"

namespace semantics {

/// After the sources: tells the readers of pictures whose labels are used.
void mark_labelled_folders(Model& model);

}  // namespace semantics
