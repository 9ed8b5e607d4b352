// Features of a variable's rows, on which distances between distributions are measured: `pca64` (principal
// components of the data), `lenet` (a classifier's penultimate layer), or a network in a file.
#pragma once
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/inference/sampler.h"
#include "runtime/metrics/points.h"

namespace core {

class Ranks;

class Features {
 public:
  virtual ~Features() = default;
  /// The name of a Frechet distance on these features, such as "FD-LeNet".
  virtual std::string distance_name() const = 0;
  /// {"features": name, ...}: all that is needed to compare two figures.
  virtual nlohmann::json about() const = 0;
  /// Appends the features of `count` rows of the variable's tensor, which lie one after the other.
  virtual void append(const float* rows, int64_t count, metrics::Points& to) = 0;
  /// How many of the source's first rows the features were fitted to. The features of these rows differ from
  /// those of new rows: they vary more along the fitted directions.
  virtual int64_t fitted_rows() const { return 0; }
};

/// The names that make_features accepts.
const std::vector<std::string>& feature_names();

/// `source`: the principal components are fitted to its rows. Failure(usage) if there is no such name.
/// Failure(bad_configuration) if there are no such features of this variable; it says what has them. For a
/// TorchScript file, FILE.pt: the failures of make_scripted_features.
std::unique_ptr<Features> make_features(const std::string& name, Sampler& sampler, const Session& session,
                                        int variable, int source);

/// Visits the variable's values in the rows of a source, in batches: from row `first` on, at most `most` rows
/// (0: all).
void each_rows(Sampler& sampler, const Session& session, int source, int variable, int64_t first,
               int64_t most, const std::function<void(const float* rows, int64_t count)>& visit);

/// Appends the features of the rows of a source, as each_rows visits them. The ranks share the rows; each
/// gets all features.
void append_features(Features& features, Ranks& ranks, Sampler& sampler, const Session& session, int source,
                     int variable, int64_t first, int64_t most, metrics::Points& to);

/// Appends the features of `count` of the rows; of none if count is 0, but then `to` also gets their width.
void append_counted(Features& features, const float* rows, int64_t at_once, int64_t count,
                    metrics::Points& to);

}  // namespace core
