// The image of a running executable: its description, checked (every index is within its array), and its
// code. It is read once when the executable starts and never changes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "runtime/abi.h"
#include "runtime/schema/description.h"

namespace core {

using schema::Access;
using schema::BatchClass;
using schema::Buffer;
using schema::Conditional;
using schema::Convolution;
using schema::DataColumn;
using schema::DeviceKernel;
using schema::Extent;
using schema::Gather;
using schema::Gemm;
using schema::GibbsChain;
using schema::Initial;
using schema::Instruction;
using schema::JoinedKernel;
using schema::Learn;
using schema::Loop;
using schema::MissingPhases;
using schema::Objective;
using schema::OptimizerProgram;
using schema::Parameter;
using schema::Phase;
using schema::Player;
using schema::Program;
using schema::Role;
using schema::Shape;
using schema::Source;
using schema::Split;
using schema::Stage;
using schema::SumRanks;
using schema::Tag;
using schema::Target;
using schema::Update;
using schema::Variable;

/// The shape of a row in the form in which it is given: a category as indices, a simplex with its parts
/// first.
inline const Shape& given_shape(const Variable& variable) {
  return variable.domain == "simplex" ? variable.tensor_shape : variable.shape;
}

/// `file` has no ending: it is the name used for runs and in messages.
struct Image : schema::Description {
  std::string built_in;  // the executable's folder when it was built; "." in a bundle; or empty
  Target target = Target::cpu;
  const vae_kernel* kernels = nullptr;
  uint32_t kernel_count = 0;
  const char* ptx = nullptr;                 // code for GPUs, or null
  std::vector<DeviceKernel> device_kernels;  // empty without PTX
  std::vector<JoinedKernel> joined_kernels;
  int coefficients = 0;  // one per source and split, then per tag or per key of a bound
  struct Simulator;
  std::vector<Simulator> simulators;

  /// The index of the variable, player or source of this name, or -1.
  int variable(const std::string& name) const;
  int player(const std::string& name) const;
  int source(const std::string& name) const;
  /// The folders in which files with relative paths are searched for, in this order. If the executable has
  /// moved since it was built: its own folder and the current folder. Then the folder of the .vae file.
  std::vector<std::filesystem::path> search_folders() const;
  const std::string& name_of(int variable) const { return variables[static_cast<size_t>(variable)].name; }
  /// "z0, z1".
  std::string names(const std::vector<int>& of_variables, const std::string& between = ", ") const;
};

/// Another model, from which a source draws rows.
struct Image::Simulator {
  std::string file;  // as the program names it
  std::shared_ptr<const Image> image;
};

/// Failure(internal) if the description is malformed; Failure(bad_configuration) if it is of another version.
Image read_image(const vae_image& image);

/// Failure(bad_configuration) that names what the code needs and this processor does not have.
void require_cpu(const Image& image);

}  // namespace core
