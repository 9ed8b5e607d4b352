#include "runtime/core/commands/export.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <map>
#include <utility>

#include "runtime/core/execution/averages.h"
#include "runtime/core/execution/session.h"
#include "runtime/core/run/run_directory.h"
#include "runtime/core/run/whole_folder.h"
#include "runtime/data/optional_library.h"
#include "runtime/onnx/onnx_api.h"
#include "runtime/schema/graph.h"
#include "runtime/schema/json_fields.h"
#include "runtime/schema/json_text.h"
#include "runtime/shared/failure.h"
#include "runtime/shared/print_error.h"
#include "runtime/shared/printable.h"
#include "runtime/shared/system_libraries.h"
#include "runtime/version.h"

namespace core {
namespace {
namespace fs = std::filesystem;
using nlohmann::json;

vaert_onnx_write_function* open_library() {
  data::open_system_library(onnx_system_library, onnx_packages);
  return data::function_of<vaert_onnx_write_function>("libvaert_onnx.so", "vaert_onnx_write");
}

/// The graphs of each conditional.
std::vector<schema::ConditionalGraphs> read_graphs(const Image& image) {
  std::vector<schema::ConditionalGraphs> graphs;
  std::string cause = "another number of conditionals";
  try {
    const json text = schema::parse_text(image.graphs.data(), image.graphs.size());
    schema::read(text, graphs, {nullptr, "graphs"});
    if (graphs.size() == image.conditionals.size()) return graphs;
  } catch (const json::exception& failure) {
    cause = failure.what();
  } catch (const schema::Malformed& failure) {
    cause = failure.what();
  }
  throw Failure(Exit::internal, "this executable's description is malformed: graphs: " + cause);
}

json describe(const Variable& variable) {
  json entry = {{"name", variable.name},
                {"domain", variable.domain},
                {"shape", variable.shape},
                {"tensor_shape", variable.tensor_shape}};
  if (variable.classes > 0) entry["classes"] = variable.classes;
  if (!variable.words.empty()) entry["words"] = variable.words;
  return entry;
}

/// What every exported file says of its model, as texts by name.
std::map<std::string, std::string> metadata_of(const Image& image, const Checkpoint& checkpoint) {
  std::map<std::string, std::string> metadata = {
      {"vaec", vaert_version()}, {"program", image.file}, {"step", fmt::format("{}", checkpoint.step)}};
  const fs::path preprocessing = checkpoint.path / "preprocessing.json";
  if (fs::exists(preprocessing)) metadata["preprocessing"] = schema::json_text(read_json(preprocessing));
  return metadata;
}

class Exporter {
 public:
  Exporter(const Session& session, const Checkpoint& checkpoint)
      : session_(session),
        image_(session.image),
        graphs_(read_graphs(image_)),
        shared_(metadata_of(image_, checkpoint)),
        write_(open_library()) {}

  /// Writes every graph whose operations ONNX has to a file in the folder.
  void write_all(const fs::path& folder) {
    for (size_t i = 0; i < image_.conditionals.size(); ++i)
      schema::ConditionalGraphs::fields(graphs_[i], [&](const char* kind, const auto& graph) {
        if (graph) write(image_.conditionals[i], kind, schema::write(*graph), folder);
      });
  }

  const json& written() const { return written_; }
  const json& refused() const { return refused_; }

 private:
  void write(const Conditional& conditional, const char* kind, json graph, const fs::path& folder) {
    const Variable& target = image_.variables[static_cast<size_t>(conditional.target)];
    const std::string player = image_.players[static_cast<size_t>(conditional.player)].name;
    const std::string name = fmt::format("{}.{}", player, target.name);
    const std::string file = fmt::format("{}.{}.onnx", name, kind);
    json variables = json::array({describe(target)}), parents = json::array();
    for (const int parent : conditional.parents) {
      variables.push_back(describe(image_.variables[static_cast<size_t>(parent)]));
      parents.push_back(variables.back()["name"]);
    }
    graph["name"] = fmt::format("{} {}", name, kind);
    graph["version"] = vaert_version();
    graph["metadata"] = shared_;
    graph["metadata"].update({{"graph", kind},
                              {"player", player},
                              {"target", target.name},
                              {"parents", schema::json_text(parents)},
                              {"family", conditional.family},
                              {"variables", schema::json_text(variables)}});
    const std::string text = schema::to_text(graph);
    std::array<char, 1000> cause = {};
    const int outcome = write_(text.data(), text.size(), session_.parameters.pointers().data(),
                               (folder / file).c_str(), cause.data(), cause.size());
    if (outcome == VAERT_ONNX_BROKEN)
      throw Failure(Exit::internal, fmt::format("{}: {}", file, cause.data()));
    if (outcome == VAERT_ONNX_CANNOT_WRITE) cannot_write(folder / file, cause.data());
    json entry = {{"file", file}, {"conditional", name}, {"graph", kind}};
    if (outcome == VAERT_ONNX_REFUSED) entry["why"] = cause.data();
    (outcome == VAERT_ONNX_REFUSED ? refused_ : written_).push_back(std::move(entry));
  }

  const Session& session_;
  const Image& image_;
  const std::vector<schema::ConditionalGraphs> graphs_;
  json shared_;
  vaert_onnx_write_function* write_;
  json written_ = json::array(), refused_ = json::array();
};

/// Refuses a path where the user has anything. An empty folder may stay where a folder is to be made.
void require_new(const fs::path& out, bool folder) {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(out, error))) return;
  const bool is_folder = fs::is_directory(out, error);
  if (!folder)
    cannot_write(out, is_folder ? "it is a folder; safetensors is one file" : "it is there already");
  if (!is_folder) cannot_write(out, "it is a file; onnx makes a folder");
  const bool empty = fs::is_empty(out, error);
  if (error) cannot_write(out, error.message());
  if (!empty) cannot_write(out, "it is there already, and is not empty");
}

void export_graphs(const Session& session, const Checkpoint& checkpoint, const fs::path& out,
                   const ExportRequest& request) {
  Exporter exporter(session, checkpoint);
  const fs::path aside = out.parent_path() / fmt::format(".{}.{}.partial", out.filename().string(), getpid());
  write_aside(aside, [&](const fs::path& folder) {
    exporter.write_all(folder);
    if (exporter.written().empty())
      throw Failure(Exit::bad_configuration,
                    exporter.refused().empty()
                        ? std::string("the program has no conditionals of players")
                        : fmt::format("no graph can be written: {}: {}",
                                      exporter.refused()[0]["file"].get<std::string>(),
                                      exporter.refused()[0]["why"].get<std::string>()));
  });
  rename_to(aside, out);
  for (const json& graph : exporter.refused())
    print_error("note: {} is not written: {}\n", printable(graph["file"].get<std::string>()),
                graph["why"].get<std::string>());
  if (request.json)
    fmt::print("{}\n", schema::json_text({{"out", out.string()},
                                          {"format", request.format},
                                          {"step", checkpoint.step},
                                          {"graphs", exporter.written()},
                                          {"refused", exporter.refused()}}));
  else
    fmt::print("{}: {} graphs of step {}\n", printable(out.string()), exporter.written().size(),
               checkpoint.step);
}

/// Writes the parameters that commands compute with, under their names in a checkpoint.
void export_tensors(const Session& session, const Checkpoint& checkpoint, const fs::path& out,
                    const ExportRequest& request) {
  data::Tensors tensors;
  for (size_t i = 0; i < session.image.players.size(); ++i)
    add_tensors(session.image.players[i], session.parameters.of(static_cast<int>(i)), "", tensors);
  if (tensors.empty()) throw Failure(Exit::bad_configuration, "the players have no parameters");
  data::write_safetensors(out, tensors, metadata_of(session.image, checkpoint));
  if (!request.json) {
    fmt::print("{}: {} tensors of step {}\n", printable(out.string()), tensors.size(), checkpoint.step);
    return;
  }
  json entries = json::object();
  for (const auto& [name, tensor] : tensors) entries[name] = tensor.shape;
  fmt::print("{}\n", schema::json_text({{"out", out.string()},
                                        {"format", request.format},
                                        {"step", checkpoint.step},
                                        {"tensors", entries}}));
}

}  // namespace

void export_model(const Image& image, const ExportRequest& request) {
  const bool graphs = request.format == "onnx";
  if (!graphs && !request.out.empty() && !request.out.has_filename())
    cannot_write(request.out, "it names a folder; safetensors is one file");
  // The last part of "out/" is empty.
  const fs::path out = request.out.has_filename() ? request.out : request.out.parent_path();
  if (out.empty()) throw Failure(Exit::usage, "--out needs a name");
  require_new(out, graphs);
  const Checkpoint checkpoint = require_checkpoint(request.run, request.checkpoint);
  MachineRequest processor;
  processor.device = "cpu";
  Session session(image, processor);
  load_checkpoint(session, checkpoint.path, request.weights);
  (graphs ? export_graphs : export_tensors)(session, checkpoint, out, request);
}

}  // namespace core
