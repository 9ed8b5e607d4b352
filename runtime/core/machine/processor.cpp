// Whether this processor can run the code of an image, and which image it can run.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <map>

#include "runtime/choose_image.h"
#include "runtime/core/image.h"
#include "runtime/schema/json_text.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

std::vector<std::string> missing_features(const std::vector<std::string>& needed) {
  std::vector<std::string> missing;
#if defined(__x86_64__)
  // Only features in which processors in use differ; all of them have the older features.
  static const std::map<std::string, bool> here = {
#define FEATURE(name) {name, __builtin_cpu_supports(name) != 0},
      FEATURE("avx") FEATURE("avx2") FEATURE("fma") FEATURE("f16c") FEATURE("bmi") FEATURE("bmi2")
          FEATURE("avx512f") FEATURE("avx512vl") FEATURE("avx512bw") FEATURE("avx512dq") FEATURE("avx512cd")
              FEATURE("avx512vnni") FEATURE("avx512bf16") FEATURE("avx512vbmi") FEATURE("avx512vbmi2")
                  FEATURE("avx512ifma") FEATURE("avx512bitalg") FEATURE("avx512vpopcntdq") FEATURE("ssse3")
                      FEATURE("popcnt")
#undef FEATURE
      // Names that /proc/cpuinfo writes in another way.
      {"sse4_1", __builtin_cpu_supports("sse4.1") != 0},
      {"sse4_2", __builtin_cpu_supports("sse4.2") != 0},
  };
  for (const std::string& feature : needed)
    if (const auto found = here.find(feature); found != here.end() && !found->second)
      missing.push_back(feature);
#else
  (void)needed;
#endif
  return missing;
}

std::vector<std::string> needed_features(const vae_image& image) {
  const nlohmann::json text = schema::parse_text(image.description, image.description_size);
  return schema::read<schema::Cpu>(text.at("cpu")).features;
}

}  // namespace

void require_cpu(const Image& image) {
  const std::vector<std::string> missing = missing_features(image.cpu.features);
  if (!missing.empty())
    throw Failure(Exit::bad_configuration,
                  fmt::format("this executable needs a processor with {}, which this one does not have; "
                              "build it again here",
                              fmt::join(missing, ", ")));
}

}  // namespace core

extern "C" __attribute__((visibility("default"))) const vae_image* vaert_choose(
    const vae_image* const* images, int32_t count) {
  // An image that cannot be read is returned too: opening it then reports why.
  for (int32_t i = 0; i < count; ++i) {
    try {
      if (core::missing_features(core::needed_features(*images[i])).empty()) return images[i];
    } catch (const std::exception&) {
      return images[i];
    }
  }
  return images[count - 1];
}
