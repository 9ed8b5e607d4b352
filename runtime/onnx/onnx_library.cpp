#include <onnx/checker.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "runtime/onnx/onnx_api.h"
#include "runtime/onnx/translation.h"
#include "runtime/schema/json_text.h"

namespace onnx_export {
namespace {

using nlohmann::json;

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& text) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(text);
}

/// Describes the random inputs that the caller of the graph must draw: [{"name", "distribution", "shape",
/// "site"}].
std::string text_of(const std::vector<Noise>& noise) {
  json list = json::array();
  for (const Noise& input : noise)
    list.push_back({{"name", input.name},
                    {"distribution", input.distribution},
                    {"shape", Shape(input.shape.begin() + 1, input.shape.end())},
                    {"site", input.site}});
  return list.dump();
}

onnx::ModelProto make_model(const json& text, const float* const* parameters) {
  const Graph graph = read_graph(text);
  onnx::ModelProto model;
  model.set_ir_version(format_version);
  model.add_opset_import()->set_version(operator_set);
  model.set_producer_name("vaec");
  model.set_producer_version(text.at("version").get<std::string>());
  model.mutable_graph()->set_name(text.at("name").get<std::string>());
  Translation translation = {graph, parameters, Writer(*model.mutable_graph())};
  translate(translation);
  for (const auto& [key, value] : text.at("metadata").items())
    add_metadata(model, key, value.get<std::string>());
  if (!translation.noise.empty()) add_metadata(model, "noise", text_of(translation.noise));
  return model;
}

/// Empty, or the system's message if writing fails.
std::string write(const onnx::ModelProto& model, const char* path) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  const bool written = file && model.SerializeToOstream(&file) && file.flush();
  return written ? "" : errno != 0 ? std::strerror(errno) : "the file could not be written whole";
}

}  // namespace
}  // namespace onnx_export

extern "C" int vaert_onnx_write(const char* graph, size_t graph_size, const float* const* parameters,
                                const char* path, char* text, size_t text_size) {
  const auto say = [&](vaert_onnx_outcome outcome, const char* cause) {
    std::snprintf(text, text_size, "%s", cause);
    return outcome;
  };
  try {
    const auto model = onnx_export::make_model(schema::parse_text(graph, graph_size), parameters);
    if (model.ByteSizeLong() > INT_MAX)
      return say(VAERT_ONNX_REFUSED, "it is larger than 2 GiB, ONNX's limit");
    onnx::checker::check_model(model);
    const std::string cause = onnx_export::write(model, path);
    return cause.empty() ? VAERT_ONNX_WRITTEN : say(VAERT_ONNX_CANNOT_WRITE, cause.c_str());
  } catch (const onnx_export::Refused& refused) {
    return say(VAERT_ONNX_REFUSED, refused.what());
  } catch (const std::exception& failure) {
    return say(VAERT_ONNX_BROKEN, failure.what());
  }
}
