#include "runtime/core/evaluation/evaluated_sources.h"

#include "runtime/shared/failure.h"

namespace core {

std::vector<int> evaluated_sources(const Image& image, Sampler& sampler) {
  std::vector<int> held_out, all;
  for (size_t s = 0; s < image.sources.size(); ++s)
    if (image.sources[s].program >= 0 && !image.sources[s].known.empty()) {
      all.push_back(static_cast<int>(s));
      if (image.sources[s].weight == 0) held_out.push_back(static_cast<int>(s));
    }
  const std::vector<int>& candidates = held_out.empty() ? all : held_out;
  std::vector<int> chosen;
  for (const int s : candidates)
    if (sampler.source_rows(s) > 0) chosen.push_back(s);
  if (chosen.empty())
    for (const int s : candidates)
      if (sampler.misses_all(s))
        throw Failure(Exit::bad_configuration, no_whole_rows(image.sources[static_cast<size_t>(s)].name));
  return chosen;
}

}  // namespace core
