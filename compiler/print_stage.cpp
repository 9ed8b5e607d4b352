#include "compiler/print_stage.h"

#include <algorithm>

#include "compiler/syntax/parse.h"

namespace vaec {
namespace {

std::string print_programs(const CheckedModel& checked, const std::string& after) {
  std::string text;
  const auto trace = [&](const char* pass, const tensor::AnyProgram& program) {
    if (after == pass) text += tensor::print(program) + "\n";
  };
  const bool for_gpu = std::ranges::count(tensor::gpu_passes, after, &tensor::Pass::name) > 0;
  const lower::Programs programs =
      build_programs(for_executable(checked), trace, for_gpu ? lower::Target::any : lower::Target::cpu);
  if (!after.empty()) return text;
  for (const tensor::KernelProgram& program : programs.programs) text += tensor::print(program) + "\n";
  return text;
}

}  // namespace

const std::vector<std::string> stages = {"syntax", "model", "game", "tensor", "kernels",
                                         "llvm",   "asm",   "ptx",  "object"};

std::vector<std::string> pass_names() {
  std::vector<std::string> names = {"build"};
  for (const auto* list : {&tensor::passes, &tensor::gpu_passes})
    for (const tensor::Pass& pass : *list) names.emplace_back(pass.name);
  return names;
}

std::optional<std::string> print_stage(const std::string& stage, const std::string& after,
                                       const Request& request, base::SourceSet& sources,
                                       base::Report& report) {
  if (stage == "syntax") {
    const syntax::Tree tree = syntax::parse(sources.add(request.path, request.text), report);
    return report.has_errors() ? std::nullopt : std::optional(syntax::print(tree));
  }
  const auto checked = check_model(request, sources, report);
  if (!checked) return std::nullopt;
  if (stage == "model") return semantics::print(checked->model);
  if (stage == "game") return game::explain_text(checked->model, checked->game);
  if (stage == "tensor") return print_programs(*checked, after);
  if (stage == "kernels") return lower::print_kernels(build_programs(for_executable(*checked)));
  Request whole = request;
  if (stage == "ptx") whole.target = lower::Target::any;
  lower::Image image = make_image(*checked, whole);
  if (stage == "llvm") return image.llvm();
  if (stage == "asm") return image.assembly();
  if (stage == "ptx") return image.ptx();
  return image.object();
}

}  // namespace vaec
