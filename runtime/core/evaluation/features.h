// Features of a variable's rows, on which distances between distributions are taken: `pca64`, principal
// components of the data, `lenet`, a classifier's penultimate layer, or a network in a file.
#pragma once
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/core/sampler.h"
#include "runtime/metrics/points.h"

namespace core {

class Features {
 public:
  virtual ~Features() = default;
  /// "FD-LeNet": what a Frechet distance on these features is called.
  virtual std::string distance_name() const = 0;
  /// {"features": name, ...}: all that somebody needs who compares two figures.
  virtual nlohmann::json about() const = 0;
  /// `count` rows of the variable's tensor, one after the other.
  virtual void append(const float* rows, int64_t count, metrics::Points& to) = 0;
  /// The source's first rows that the features were fitted to: their features are not those of fresh rows,
  /// along the fitted directions they vary more.
  virtual int64_t fitted_rows() const { return 0; }
};

/// The names that make_features knows.
const std::vector<std::string>& feature_names();

/// `source`: whose rows principal components are fitted to. Failure(usage) where there is no such name,
/// Failure(bad_configuration) where it has no features of this variable: names what has; the failures of
/// make_scripted_features where it is a file of TorchScript, FILE.pt.
std::unique_ptr<Features> make_features(const std::string& name, Sampler& sampler, const Session& session,
                                        int variable, int source);

/// Rows of what a source knows of a variable from `first`, at most `most` (0: all) of them, some at a time.
void each_rows(Sampler& sampler, const Session& session, int source, int variable, int64_t first,
               int64_t most, const std::function<void(const float* rows, int64_t count)>& visit);

}  // namespace core
