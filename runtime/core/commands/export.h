// `export`: a trained model in a format of other programs.
#pragma once
#include <filesystem>
#include <string>

#include "runtime/abi.h"
#include "runtime/core/evaluation/request.h"
#include "runtime/core/image.h"

namespace core {

struct ExportRequest : ModelRequest {
  std::string format = "onnx";
  std::filesystem::path out;  // a folder, made anew
};
/// `binary`: the image was read from it. The graphs are read from it only here, because no other command
/// needs them.
void export_model(const Image& image, const vae_image& binary, const ExportRequest& request);

}  // namespace core
