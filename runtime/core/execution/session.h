// What every command that computes starts from: the image, threads, parameters and the sources' rows.
// Programs are loaded into it on demand. It reads nothing from disk until a command asks.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/core/execution/executor.h"
#include "runtime/core/execution/parameters.h"
#include "runtime/core/execution/rows.h"
#include "runtime/core/machine/backend.h"

namespace core {

class Ranks;

struct Session {
  /// Failure(bad_configuration) if this installation, machine or processor does not have what is needed.
  Session(const Image& image, const MachineRequest& request);
  Session(const Session&) = delete;

  /// The coefficients of the sources: weight / rows, or 0 for sources that are not learned from.
  void set_coefficients(const std::vector<double>& values);
  void load_parameters(const std::filesystem::path& model_file);

  const Image& image;
  Parameters parameters;
  std::vector<float> coefficients;  // Image::coefficients
  Rows rows;
  Machine machine;                 // the processor, in fp32
  bool cudnn_benchmark = false;    // of the device
  Machine training;                // the processor in the precision asked for
  Ranks* ranks;                    // who computes the other rows of each batch
  std::shared_ptr<Device> device;  // a GPU to learn on, or null
};

}  // namespace core
