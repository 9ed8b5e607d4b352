#include "runtime/core/evaluation/features/scripted_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "runtime/data/arrays/byte_source.h"
#include "runtime/out_of_memory.h"
#include "runtime/shared/content_hash.h"
#include "runtime/shared/failure.h"
#include "runtime/torch/script_api.h"

namespace core {
namespace {

constexpr int64_t scripted_rows_at_once = 100;

class ScriptedFeatures : public Features {
 public:
  ScriptedFeatures(const std::string& path, const Session& session, const Variable& variable)
      : path_(path), variable_(variable), hash_(fmt::format("{:016x}", content_hash(data::read_file(path)))) {
    char error[512] = "";
    script_.reset(function<vaert_torch_script_open_function>("vaert_torch_script_open")(
        path.c_str(), session.machine.threads, error, sizeof error));
    if (!script_) fail("it is no TorchScript", error);
  }

  std::string distance_name() const override { return "FD-" + std::filesystem::path(path_).stem().string(); }

  nlohmann::json about() const override {
    return {{"features", path_}, {"width", width_}, {"hash", hash_}, {"libtorch", torch_version()}};
  }

  void append(const float* rows, int64_t count, metrics::Points& to) override {
    std::vector<int64_t> sizes = {0};
    sizes.insert(sizes.end(), variable_.tensor_shape.begin(), variable_.tensor_shape.end());
    for (int64_t from = 0; from < count; from += scripted_rows_at_once) {
      sizes[0] = std::min(scripted_rows_at_once, count - from);
      char error[512] = "";
      int64_t width = 0;
      const float* found = run_(script_.get(), rows + from * variable_.elements(), sizes.data(), sizes.size(),
                                &width, error, sizeof error);
      if (!found) fail(fmt::format("it fails on rows of {}", variable_.name), error);
      if (width_ != 0 && width != width_) fail("rows of features have several lengths", "");
      to.width = width_ = width;
      to.values.insert(to.values.end(), found, found + sizes[0] * width);
    }
  }

 private:
  struct Close {
    void operator()(vaert_script* script) const {
      function<vaert_torch_script_close_function>("vaert_torch_script_close")(script);
    }
  };

  template <class Function>
  static Function* function(const char* name) {
    return reinterpret_cast<Function*>(torch_function("--features", name));
  }

  [[noreturn]] void fail(const std::string& what, const std::string& cause) const {
    if (cause.starts_with(out_of_memory))
      throw Failure(Exit::bad_configuration, fmt::format("--features {}: {}", path_, cause));
    throw Failure(Exit::bad_data,
                  fmt::format("--features {}: {}{}{}", path_, what, cause.empty() ? "" : ": ", cause));
  }

  std::string path_;
  Variable variable_;
  std::string hash_;
  int64_t width_ = 0;
  std::unique_ptr<vaert_script, Close> script_;
  vaert_torch_script_run_function* run_ = function<vaert_torch_script_run_function>("vaert_torch_script_run");
};

}  // namespace

std::unique_ptr<Features> make_scripted_features(const std::string& path, const Session& session,
                                                 int variable) {
  return std::make_unique<ScriptedFeatures>(path, session,
                                            session.image.variables[static_cast<size_t>(variable)]);
}

}  // namespace core
