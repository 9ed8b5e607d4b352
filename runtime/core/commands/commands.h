// The commands of an executable. Each takes its image and a request, and prints or writes its result.
// Failures are thrown (runtime/shared/failure.h); a command that returns has succeeded.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "runtime/core/evaluation/request.h"
#include "runtime/core/exchange/exchange.h"
#include "runtime/core/image.h"
#include "runtime/core/machine/backend.h"
#include "runtime/core/run/progress.h"

namespace core {

class Ranks;

void info(const Image& image, bool json);

struct TrainRequest : MachineRequest {
  std::string learn;  // empty: the first of the file
  /// Key and text; later ones override earlier ones
  std::vector<std::pair<std::string, std::string>> overrides;
  std::filesystem::path out, resume;
  std::string checkpoint;  // of the run that `start` names; empty: the last one
  ExchangeRequest exchange;
  Voice voice = Voice::normal;
  bool profile = false;  // write a Chrome trace of the first steps
};

/// Returns the exit code: ok, or interrupted after a checkpoint.
int train(const Image& image, const TrainRequest& request);
/// The same on ranks that are open, or on one; they stay open.
int train_on_open(const Image& image, const TrainRequest& request, Ranks& ranks);

struct SampleRequest : ModelRequest {
  int64_t n = 64;
  int64_t limiting = 0;            // steps of the chain x -> z -> x
  int64_t sweeps = 100;            // of a chain, if the given values need one
  int64_t columns = 0;             // of a picture; 0: as many as the picture has rows
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
  std::string source;   // its rows are encoded; empty: the first evaluated source
  std::string classes;  // the variable that colours the points; empty: chosen automatically; none
  int64_t rows = 2000;  // 0: all
  std::filesystem::path out;
};
/// The codes of data along their first two principal components, as a picture or a table.
void latents(const Image& image, const LatentsRequest& request);

struct CodeGridRequest : ModelRequest {
  std::string code, source;   // as in LatentsRequest
  int64_t row = 0;            // the first row of the source that is used
  int64_t rows = 8;           // how many pairs of rows interpolate uses
  int64_t columns = 0;        // steps of a change; 0: 9 for traverse, 8 for interpolate
  std::vector<int64_t> dims;  // elements of the code that traverse changes; empty: the first ones
  double range = 3;           // of traverse: standard deviations to each side
  std::filesystem::path out;
};
/// One row of pictures for each element of a code: what the decoder gives as that element changes.
void traverse(const Image& image, const CodeGridRequest& request);
/// One row of pictures for each pair of rows of data: what the decoder gives for codes between the two.
void interpolate(const Image& image, const CodeGridRequest& request);

/// The texts that `EvaluateRequest::metrics` may contain, one line each.
std::string metric_help();
/// Failure(usage) names a metric that does not exist.
void require_metrics(const std::vector<std::string>& metrics);
/// Failure(usage) if the request has a flag that none of these metrics reads.
void require_readers(const EvaluateRequest& request, const std::vector<std::string>& metrics);
struct Session;
/// Results of the request's metrics, with the session's parameters. Calls `measured` with each result as soon
/// as it is known.
nlohmann::json measure_metrics(Session& session, const EvaluateRequest& request,
                               const std::function<void(const nlohmann::json&)>& measured = {});
/// The metrics in groups that are measured on the same draws.
std::vector<std::vector<std::string>> measured_together(const std::vector<std::string>& metrics);
/// {"program", "step", "results": [...]}. The metrics must exist (require_metrics). Notes go to stderr,
/// except those in `said`; new notes are added to `said`. Calls `measured` with each result as soon as it is
/// known.
nlohmann::json evaluate_run(const Image& image, const EvaluateRequest& request,
                            const std::function<void(const nlohmann::json&)>& measured = {},
                            std::set<std::string>* said = nullptr);
void evaluate(const Image& image, const EvaluateRequest& request);

struct CompareRequest : EvaluateRequest {
  std::vector<std::string> learns;                             // empty: all that this version can run
  std::vector<std::pair<std::string, std::string>> overrides;  // for every learn block, as train takes them
  int64_t seeds = 1;                                           // how many seeds, from `seed` on
  std::filesystem::path out;  // its finished runs are loaded, the others continued; empty: a new folder
};
/// Trains several learn blocks and shows them in one table and one picture.
void compare(const Image& image, const CompareRequest& request);

struct BenchRequest : MachineRequest {
  std::string learn;                                           // empty: the first of the file
  std::vector<std::pair<std::string, std::string>> overrides;  // as train takes them
  /// How many are measured; 0: as many as take some seconds
  int64_t steps = 0;
  std::string count;  // a card's id: count the work of a step on such a GPU; empty: measure
  bool json = false;
};
/// Measures how fast steps are, and for each kernel its time, its share, and how well it uses the processor.
void bench(const Image& image, const BenchRequest& request);

}  // namespace core
