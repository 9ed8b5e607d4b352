// Slow evaluation in double precision: the oracle for everything that makes programs faster. A kernel program
// is run over its slots as planned, so that memory wrongly shared shows.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "compiler/tensor/kernel_program.h"
#include "compiler/tensor/program.h"

namespace tensor {

using Numbers = std::vector<double>;

struct Inputs {
  std::vector<int64_t> rows;                       // per batch class
  std::map<std::string, Numbers> values;           // by input name, row-major
  std::vector<Numbers> parameters;                 // per player, flat (parameter_layout)
  Numbers coefficients;                            // per source
  std::map<std::pair<int, int>, Numbers> columns;  // by column and source: the rows drawn
  uint64_t seed = 0, step = 0;
};

struct Results {
  std::map<std::string, Numbers> outputs;
  std::map<int, Numbers> gradients;  // by player, flat; 0 between parameters
};

/// `values`, if given, receives every value of the program.
Results interpret(const Program& program, const Inputs& inputs, std::vector<Numbers>* values = nullptr);
Results interpret(const KernelProgram& kernel_program, const Inputs& inputs);

/// Elements of a value or a buffer.
int64_t count(const Shape& shape, const std::vector<int64_t>& rows);

/// c (zeroed here) = the convolution in one of its directions; for both interpreters.
void convolve(const Convolution& shape, int64_t batch, const double* a, const double* b, double* c);

}  // namespace tensor
