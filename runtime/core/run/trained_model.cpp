#include "runtime/core/run/trained_model.h"

#include "runtime/core/execution/averages.h"

namespace core {

TrainedModel::TrainedModel(const Image& compiled, const std::filesystem::path& run,
                           const MachineRequest& machine, const std::string& which,
                           const std::string& weights)
    : checkpoint_(require_checkpoint(run, which)),
      prepared_(compiled, read_statistics(checkpoint_.path)),
      session_(prepared_.get(), machine) {
  session_.rows.keep_words(read_words(checkpoint_.path, prepared_.get()));
  load_checkpoint(session_, checkpoint_.path, weights);
}

}  // namespace core
