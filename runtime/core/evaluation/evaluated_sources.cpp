#include "runtime/core/evaluation/evaluated_sources.h"

#include <algorithm>

namespace core {

std::vector<int> evaluated_sources(const Image& image, Sampler& sampler) {
  std::vector<int> held_out, all;
  for (size_t s = 0; s < image.sources.size(); ++s)
    if (image.sources[s].program >= 0 && !image.sources[s].known.empty()) {
      all.push_back(static_cast<int>(s));
      if (image.sources[s].weight == 0) held_out.push_back(static_cast<int>(s));
    }
  std::vector<int> chosen = held_out.empty() ? all : held_out;
  chosen.erase(
      std::remove_if(chosen.begin(), chosen.end(), [&](int s) { return sampler.source_rows(s) == 0; }),
      chosen.end());
  return chosen;
}

}  // namespace core
