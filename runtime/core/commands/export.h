// `export`: a trained model in a format of other programs.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/image.h"

namespace core {

struct ExportRequest : ModelRequest {
  std::string format = "onnx";
  std::filesystem::path out;  // must be new; onnx: a folder, safetensors: a file
};
/// Failure(cannot_write) if something is there already, Failure(bad_configuration) if there is nothing to
/// write.
void export_model(const Image& image, const ExportRequest& request);

}  // namespace core
