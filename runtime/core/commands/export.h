// `export`: a trained model in a format of other programs.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/image.h"

namespace core {

struct ExportRequest : ModelRequest {
  std::string format = "onnx";
  std::filesystem::path out;  // a folder, made anew
};
void export_model(const Image& image, const ExportRequest& request);

}  // namespace core
