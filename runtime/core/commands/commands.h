// The commands of an executable: each takes its image and a request, prints or writes its
// result. Failures are thrown (runtime/failure.h); a command that returns has succeeded.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/core/backend.h"
#include "runtime/core/evaluation/request.h"
#include "runtime/core/exchange.h"
#include "runtime/core/image.h"
#include "runtime/core/progress.h"

namespace core {

void info(const Image& image, bool json);

struct TrainRequest : MachineRequest {
  std::string learn;                                           // empty: the file's first
  std::vector<std::pair<std::string, std::string>> overrides;  // key, text; weakest first
  std::filesystem::path out, resume;
  std::string checkpoint;  // of the run that `start` names; empty: the last
  ExchangeRequest exchange;
  Voice voice = Voice::normal;
  bool profile = false;  // write a Chrome trace of the first steps
};

/// The exit code: ok, or interrupted after a checkpoint.
int train(const Image& image, const TrainRequest& request);

struct SampleRequest : ModelRequest {
  int64_t n = 64;
  int64_t limiting = 0;            // steps of the chain x -> z -> x
  int64_t sweeps = 100;            // of a chain, where what is given needs one
  int64_t columns = 0;             // of a picture; 0: as many as it has rows
  std::vector<std::string> given;  // "x=FILE"
  std::filesystem::path out;
};
void sample(const Image& image, const SampleRequest& request);

struct InferRequest : ModelRequest {
  std::string query;  // "c, z | x"
  std::vector<std::string> given;
  std::vector<std::string> masks;  // "x=FILE": 1 where an element of x is known
  std::vector<std::string> by;     // "z=q": the player that gives z
  std::vector<std::string> draw;   // discrete variables that are drawn, not summed over
  int64_t sweeps = 100, chains = 2;
  int64_t samples = 1;  // repetitions over which means are taken
  std::filesystem::path out;
};
void infer(const Image& image, const InferRequest& request);

struct LatentsRequest : ModelRequest {
  std::string code;     // empty: the first that a decoder reads and no source observes
  std::string source;   // whose rows are encoded; empty: the first that is evaluated
  std::string classes;  // the variable that colours the points; empty: found; none
  int64_t rows = 2000;  // 0: all
  std::filesystem::path out;
};
/// The codes of data by their first two principal components, as a picture or a table.
void latents(const Image& image, const LatentsRequest& request);

struct CodeGridRequest : ModelRequest {
  std::string code, source;   // as LatentsRequest has them
  int64_t row = 0;            // of the source, the first that is used
  int64_t rows = 8;           // pairs of rows that interpolate takes
  int64_t columns = 0;        // steps of a change; 0: 9 of a traversal, 8 of an interpolation
  std::vector<int64_t> dims;  // elements of the code that a traversal changes; none: the first ones
  double range = 3;           // of a traversal: standard deviations to each side
  std::filesystem::path out;
};
/// A row for each element of a code: what the decoder makes of it as that element changes.
void traverse(const Image& image, const CodeGridRequest& request);
/// A row for each pair of rows of data: what the decoder makes of codes on the way from one to the other.
void interpolate(const Image& image, const CodeGridRequest& request);

/// What `EvaluateRequest::metrics` may name, a line for each.
std::string metric_help();
/// Failure(usage) naming one that there is not.
void require_metrics(const std::vector<std::string>& metrics);
struct Session;
/// Results of the request's metrics, with the session's parameters; `measured` hears of each as soon as it is
/// there.
nlohmann::json measure_metrics(Session& session, const EvaluateRequest& request,
                               const std::function<void(const nlohmann::json&)>& measured = {});
/// The metrics in groups that are measured on the same draws.
std::vector<std::vector<std::string>> measured_together(const std::vector<std::string>& metrics);
/// {"program", "step", "results": [...]}; notes go to stderr, except those in `said`, which takes them up.
/// `measured` hears of each result as soon as it is there.
nlohmann::json evaluate_run(const Image& image, const EvaluateRequest& request,
                            const std::function<void(const nlohmann::json&)>& measured = {},
                            std::set<std::string>* said = nullptr);
void evaluate(const Image& image, const EvaluateRequest& request);

struct CompareRequest : EvaluateRequest {
  std::vector<std::string> learns;                             // empty: all that can run
  std::vector<std::pair<std::string, std::string>> overrides;  // of every learn block, as train takes them
  int64_t seeds = 1;                                           // from `seed` on
  std::filesystem::path out;  // finished runs in it are loaded, the others continued; empty: a new one
};
/// One table and one picture of several learn blocks.
void compare(const Image& image, const CompareRequest& request);

struct BenchRequest : MachineRequest {
  std::string learn;                                           // empty: the file's first
  std::vector<std::pair<std::string, std::string>> overrides;  // as train takes them
  int64_t steps = 0;                                           // to measure; 0: for some seconds
  bool json = false;
};
/// How fast steps are, and the time, share and use of the processor of each kernel.
void bench(const Image& image, const BenchRequest& request);

}  // namespace core
