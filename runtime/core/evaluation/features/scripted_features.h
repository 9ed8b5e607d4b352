// Features by a network from elsewhere: a TorchScript file, run by libvaert_torch.so. Its forward takes rows
// of the variable's tensor, [rows, ...], and gives a row of features for each.
#pragma once
#include <memory>
#include <string>

#include "runtime/core/evaluation/features/features.h"

namespace core {

/// Failure(missing_input) if there is no such file, bad_configuration if vaec was built without LibTorch, and
/// bad_data if the file is not TorchScript. If the network fails on the variable's rows, bad_data is reported
/// when rows are appended.
std::unique_ptr<Features> make_scripted_features(const std::string& path, const Session& session,
                                                 int variable);

}  // namespace core
