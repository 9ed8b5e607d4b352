// What a stage of the compiler makes, as text: `vaec check --emit=STAGE`.
#pragma once
#include "compiler/pipeline.h"

namespace vaec {

extern const std::vector<std::string> stages;
/// The passes after which programs can be printed, in their order: first "build", before any pass.
std::vector<std::string> pass_names();

/// The result of one of the `stages` as text (object: as bytes); none if the report has errors. For the stage
/// `tensor`, `after` may name a pass: the programs after it are printed instead of the finished ones.
std::optional<std::string> print_stage(const std::string& stage, const std::string& after,
                                       const Request& request, base::SourceSet& sources,
                                       base::Report& report);

}  // namespace vaec
