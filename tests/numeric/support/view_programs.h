// Programs with several views of one value, in which views once were combined wrongly. They were found among
// random programs and then made small.
#pragma once
#include <string>
#include <utility>
#include <vector>

inline const std::vector<std::pair<std::string, std::string>>& view_programs() {
  static const std::vector<std::pair<std::string, std::string>> programs = {
      // One loop cannot read both orders: there are no common axes for them.
      {"two_orders_of_one_layer", R"(
var x : real[12]
var z : real[3, 4]
source pairs { x = npy("x.npy")
               z = npy("z.npy") }
encoder q {
  let y = reshape(dense(x, 12), [3, 4])
  z | x ~ Normal(reshape(flatten(transpose(y, [1, 0])) + flatten(y), [3, 4]), 0)
}
learn supervised { steps = 1 }
)"},
      // The slice begins within a row of z.
      {"a_slice_of_a_reshaped_difference", R"(
var x : real[20]
var z : real[12, 4]
source pairs { x = npy("x.npy")
               z = npy("z.npy") }
decoder p {
  let h = 1 - reshape(z, [24, 2])
  x | z ~ Normal(concat(h[15:19, 0], parameter([16])), 0)
}
learn supervised { steps = 1 }
)"},
      // Both transpositions are kept in memory too: their axes split the axis that the sum runs over.
      {"a_sum_beside_a_convolution", R"(
var x : real[120]
var y : real[5]
source pairs { x = npy("x.npy")
               y = npy("y.npy") }
encoder q {
  let h = conv(reshape(x, [6, 2, 10]), 4, kernel = 2)
  y | x ~ Normal(dense(h, 5) + sum(parameter([120]) * x), -1)
}
learn supervised { steps = 1 }
)"},
      {"a_sum_beside_a_layer_of_the_transposed", R"(
var x : real[12]
var y : real[5]
source pairs { x = npy("x.npy")
               y = npy("y.npy") }
encoder q {
  let h = dense(transpose(reshape(x, [2, 6]), [1, 0]), 7)
  y | x ~ Normal(dense(h, 5) + sum(parameter([12]) * x), -1)
}
learn supervised { steps = 1 }
)"},
      // The sum reads the source of a piece at the same places as the concatenation does.
      {"a_piece_that_is_read_beside_its_source", R"(
var x : real[6]
var y : real[3]
source pairs { x = npy("x.npy")
               y = npy("y.npy") }
encoder q {
  let h = reshape(x, [6, 1])
  let s = concat(h, h, parameter([6, 1]), axis = 1)
  y | x ~ Normal(dense(concat(parameter([12]), s[:, 1] @ x), 3), -1)
}
learn supervised { steps = 1 }
)"},
  };
  return programs;
}
