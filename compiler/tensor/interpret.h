// Slow evaluation in double precision: the reference that tests compare all faster code with. A kernel
// program runs in its slots as they are planned, so wrongly shared memory shows as a wrong result.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/program.h"

namespace tensor {

using Numbers = std::vector<double>;

struct Inputs {
  std::vector<int64_t> rows;                       // by batch class
  std::map<std::string, Numbers> values;           // by input name, row-major
  std::vector<Numbers> parameters;                 // by player, flat (parameter_layout)
  Numbers coefficients;                            // by coefficient: first one per source
  std::map<std::pair<int, int>, Numbers> columns;  // by column and source: the values of the drawn rows
  uint64_t seed = 0, step = 0;
};

struct Results {
  std::map<std::string, Numbers> outputs;
  std::map<int, Numbers> gradients;  // by player, flat; 0 in the gaps between parameters
};

/// `values`, if given, receives every value of the program.
Results interpret(const Program& program, const Inputs& inputs, std::vector<Numbers>* values = nullptr);
Results interpret(const KernelProgram& kernel_program, const Inputs& inputs);

/// The number of elements of a value or a buffer.
int64_t count(const Shape& shape, const std::vector<int64_t>& rows);

/// Computes `c` (zeroed here) as the convolution in one of its directions. Both interpreters use it.
void convolve(const Convolution& shape, int64_t batch, const double* a, const double* b, double* c);

}  // namespace tensor
