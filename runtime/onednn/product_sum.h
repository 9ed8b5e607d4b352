// In: the extents of small products. Out: machine code for the sum of many of them, which libxsmm generates
// while the program runs.
#pragma once
#include <cstdint>

namespace onednn {

/// out[r][o] = sum over i < count of sum over d of rows_i[r][d] matrices_i[d][o], or, if transposed, of
/// rows_i[d][r] matrices_i[d][o]. A step is the number of floats from one row in memory to the next.
struct ProductSumShape {
  int64_t rows, depth, outputs;
  int64_t row_step, matrix_step, out_step;
  bool transposed;
  bool adds;  // true: adds to the contents of `out`; false: replaces them
};

class ProductSum {
 public:
  ProductSum() = default;
  /// Throws std::runtime_error if libxsmm has no code for this shape.
  explicit ProductSum(const ProductSumShape& shape);

  /// `matrices` and `rows`: `count` addresses each, at least one. The code changes these addresses, so they
  /// cannot be used again.
  void operator()(const float** matrices, const float** rows, float* out, unsigned long long count) const {
    code_(matrices, rows, out, &count);
  }

 private:
  void (*code_)(const float**, const float**, float*, const unsigned long long*, ...) = nullptr;
};

/// Whether this was built with libxsmm, and libxsmm makes code with vectors of 16 floats for this processor.
bool sums_products();

}  // namespace onednn
