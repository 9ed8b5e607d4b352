#include "runtime/core/evaluation/features/features.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/core/evaluation/features/lenet.h"
#include "runtime/core/evaluation/features/scripted_features.h"
#include "runtime/core/evaluation/shared_metrics.h"
#include "runtime/core/execution/rows_at_once.h"
#include "runtime/metrics/principal_components.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

constexpr int64_t kept_components = 64;
// Limits of what principal components are fitted to. Beyond them, the components change little.
constexpr int64_t most_fitted_rows = 10'000, most_fitted_numbers = int64_t{1} << 27;

class PrincipalFeatures : public Features {
 public:
  PrincipalFeatures(const metrics::Points& fitted_on, std::string source)
      : components_(fitted_on, kept_components), rows_(fitted_on.rows()), source_(std::move(source)) {}

  std::string distance_name() const override { return "FD-PCA64"; }

  nlohmann::json about() const override {
    return {{"features", "pca64"},
            {"width", components_.components()},
            {"fitted_to", source_},
            {"fitted_rows", rows_}};
  }

  void append(const float* rows, int64_t count, metrics::Points& to) override {
    components_.append_scores(rows, count, to);
  }

  int64_t fitted_rows() const override { return rows_; }

 private:
  metrics::PrincipalComponents components_;
  int64_t rows_;
  std::string source_;
};

/// `visit` gets the rows of a batch, how many there are, and how many of them count: 0 if another rank has
/// them.
void visit_rows(Ranks& ranks, Sampler& sampler, const Session& session, int source, int variable,
                int64_t first, int64_t most,
                const std::function<void(const float* rows, int64_t at_once, int64_t count)>& visit) {
  const int64_t all = sampler.source_rows(source), end = most > 0 ? std::min(first + most, all) : all;
  const int64_t at_once = std::min(classified_rows_at_once, end - first);
  const std::string& name = session.image.name_of(variable);
  for_each_shared_rows(ranks, sampler, end - first, at_once, [&](int64_t from, int64_t count) {
    const Values values = sampler.source(source, at_once, first + from);
    const auto found = values.find(variable);
    if (found == values.end()) throw Failure(Exit::internal, "the source does not know " + name);
    visit(found->second.data(), at_once, count);
  });
}

}  // namespace

void each_rows(Sampler& sampler, const Session& session, int source, int variable, int64_t first,
               int64_t most, const std::function<void(const float* rows, int64_t count)>& visit) {
  visit_rows(Ranks::alone(), sampler, session, source, variable, first, most,
             [&](const float* rows, int64_t, int64_t count) { visit(rows, count); });
}

void append_counted(Features& features, const float* rows, int64_t at_once, int64_t count,
                    metrics::Points& to) {
  if (count > 0) return features.append(rows, count, to);
  metrics::Points none;
  features.append(rows, at_once, none);
  to.width = none.width;
}

void append_features(Features& features, Ranks& ranks, Sampler& sampler, const Session& session, int source,
                     int variable, int64_t first, int64_t most, metrics::Points& to) {
  metrics::Points own;
  visit_rows(ranks, sampler, session, source, variable, first, most,
             [&](const float* rows, int64_t at_once, int64_t count) {
               append_counted(features, rows, at_once, count, own);
             });
  own = joined(ranks, own);
  to.width = own.width;
  to.values.insert(to.values.end(), own.values.begin(), own.values.end());
}

const std::vector<std::string>& feature_names() {
  static const std::vector<std::string> names = {"lenet", "pca64"};
  return names;
}

std::unique_ptr<Features> make_features(const std::string& name, Sampler& sampler, const Session& session,
                                        int variable, int source) {
  const Image& image = session.image;
  if (name == "lenet") return make_lenet_features(session, variable);
  if (name.ends_with(".pt")) return make_scripted_features(name, session, variable);
  if (name != "pca64")
    throw Failure(Exit::usage, fmt::format("--features {}: known are {}, and files of TorchScript, FILE.pt",
                                           name, fmt::join(feature_names(), ", ")));
  metrics::Points rows;
  rows.width = image.variables[static_cast<size_t>(variable)].elements();
  // At most half of the rows, because samples are compared with the other half.
  const int64_t most =
      std::min({most_fitted_rows, most_fitted_numbers / rows.width, sampler.source_rows(source) / 2});
  each_rows(sampler, session, source, variable, 0, std::max<int64_t>(1, most),
            [&](const float* values, int64_t count) {
              rows.values.insert(rows.values.end(), values, values + count * rows.width);
            });
  return std::make_unique<PrincipalFeatures>(rows, image.sources[static_cast<size_t>(source)].name);
}

}  // namespace core
