// Features by a network that somebody else trained: a TorchScript file, run by libvaert_torch.so. Its forward
// takes rows of the variable's tensor, [rows, ...], and gives as many rows of features.
#pragma once
#include <memory>
#include <string>

#include "runtime/core/evaluation/features.h"

namespace core {

/// Failure(missing_input) where there is no such file, bad_data where it is no TorchScript or fails on the
/// variable's rows (then when rows are appended), bad_configuration where vaec was built without LibTorch.
std::unique_ptr<Features> make_scripted_features(const std::string& path, const Session& session,
                                                 int variable);

}  // namespace core
