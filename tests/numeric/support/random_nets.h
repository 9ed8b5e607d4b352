// In: a generator of random numbers. Out: a net of the language as data: statements with shapes, over all
// tensor operations, which read one value through several views. Values stay below about 30. No statement
// divides by a number that may be near 0, or takes its logarithm. Functions that jump do so at odd places: a
// softmax's sum is 1 only up to rounding, and two correct programs may round it to different sides of 1.
#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace random_programs {

using Shape = std::vector<int64_t>;

inline int64_t elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// In `text` the operands are #0, #1, ...; an input of the net has no text.
struct Statement {
  std::string text;
  std::vector<size_t> operands;
  Shape shape;
};

struct Net {
  std::vector<std::string> inputs;  // the first statements
  std::vector<Statement> statements;

  std::vector<bool> needed() const {
    std::vector<bool> result(statements.size(), false);
    result.back() = true;
    for (size_t i = statements.size(); i-- > 0;)
      for (const size_t operand : statements[i].operands)
        if (result[i]) result[operand] = true;
    return result;
  }

  std::string print(const std::string& name) const {
    const std::vector<bool> live = needed();
    std::string text = fmt::format("net {}({}) {{\n", name, fmt::join(inputs, ", "));
    for (size_t i = inputs.size(); i < statements.size(); ++i) {
      if (!live[i]) continue;
      std::string right;
      for (size_t at = 0; at < statements[i].text.size(); ++at) {
        const char letter = statements[i].text[at];
        if (letter != '#') {
          right += letter;
          continue;
        }
        right += name_of(statements[i].operands[static_cast<size_t>(statements[i].text[++at] - '0')]);
      }
      text += fmt::format("  {} = {}  // {}\n", name_of(i), right, statements[i].shape);
    }
    return text + fmt::format("  return {}\n}}\n", name_of(statements.size() - 1));
  }

 private:
  std::string name_of(size_t i) const { return i < inputs.size() ? inputs[i] : fmt::format("v{}", i); }
};

class NetMaker {
 public:
  NetMaker(std::mt19937& generator, const std::vector<std::pair<std::string, Shape>>& inputs)
      : generator_(generator) {
    for (const auto& [name, shape] : inputs) {
      net_.inputs.push_back(name);
      net_.statements.push_back({"", {}, shape});
      magnitudes_.push_back(3);
    }
  }

  /// A net of about `length` statements. The last one has `elements` elements; 0 stands for any number.
  Net make(int length, int64_t size) {
    for (int i = 0; i < length; ++i) step();
    gather();
    const size_t last = net_.statements.size() - 1;
    if (size > 0 && elements(shape(last)) != size) add(fmt::format("dense(#0, {})", size), {last}, {size}, 1);
    return std::move(net_);
  }

  /// A shape with at most `most` elements. Some axes have length 1, others about the width of vectors.
  static Shape random_shape(std::mt19937& generator, int64_t most) {
    static const std::vector<int64_t> lengths = {1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 12, 15, 16, 17};
    static const std::vector<int64_t> lines = {1, 2, 12, 15, 16, 17, 24, 31, 33, 128, 129};
    auto one_of = [&](const std::vector<int64_t>& list) { return list[generator() % list.size()]; };
    const size_t rank = 1 + generator() % 4;
    if (rank == 1) return {std::min(one_of(lines), most)};
    while (true) {
      Shape shape;
      for (size_t axis = 0; axis < rank; ++axis) shape.push_back(one_of(lengths));
      if (elements(shape) <= most) return shape;
    }
  }

 private:
  static constexpr int64_t most_elements = 200;

  const Shape& shape(size_t value) const { return net_.statements[value].shape; }
  size_t below(size_t end) { return generator_() % end; }
  bool chance(size_t in) { return below(in) == 0; }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<size_t>(high - low + 1)));
  }
  std::string one_of(const std::vector<std::string>& list) { return list[below(list.size())]; }

  size_t add(std::string text, std::vector<size_t> operands, Shape shape, double magnitude) {
    if (magnitude > 30) {
      text = fmt::format("2 * tanh(0.1 * ({}))", text);
      magnitude = 2;
    }
    net_.statements.push_back({std::move(text), std::move(operands), std::move(shape)});
    magnitudes_.push_back(magnitude);
    return net_.statements.size() - 1;
  }

  /// Any value, the latest ones more often.
  size_t pick() {
    const size_t count = net_.statements.size();
    return chance(2) ? below(count) : count - 1 - below(std::min<size_t>(count, 4));
  }
  size_t pick_ranked() {
    for (int tries = 0; tries < 20; ++tries) {
      const size_t value = pick();
      if (!shape(value).empty()) return value;
    }
    return 0;
  }

  void step() {
    using Make = void (NetMaker::*)();
    // Views are chosen more often than operations that read them: combinations of views are the difficult
    // cases.
    static const std::vector<std::pair<Make, size_t>> table = {
        {&NetMaker::reshape, 5},   {&NetMaker::transpose, 6}, {&NetMaker::slice, 4},  {&NetMaker::unary, 4},
        {&NetMaker::binary, 7},    {&NetMaker::concat, 4},    {&NetMaker::pool, 2},   {&NetMaker::reduce, 3},
        {&NetMaker::softmax, 1},   {&NetMaker::choose, 1},    {&NetMaker::matmul, 2}, {&NetMaker::layer, 1},
        {&NetMaker::normalise, 1},
    };
    size_t total = 0;
    for (const auto& entry : table) total += entry.second;
    size_t at = below(total);
    for (const auto& [make, weight] : table) {
      if (at < weight) return (this->*make)();
      at -= weight;
    }
  }

  /// A shape with the same number of elements: the prime factors are distributed to new axes.
  Shape refactored(int64_t count) {
    Shape result(1 + below(4), 1);
    for (int64_t prime = 2; count > 1; ++prime)
      for (; count % prime == 0; count /= prime) result[below(result.size())] *= prime;
    return result;
  }
  void reshape() {
    const size_t a = pick();
    const Shape to = refactored(elements(shape(a)));
    if (chance(4)) return void(add("flatten(#0)", {a}, {elements(shape(a))}, magnitudes_[a]));
    add(fmt::format("reshape(#0, {})", to), {a}, to, magnitudes_[a]);
  }
  void transpose() {
    size_t a = pick_ranked();
    if (shape(a).size() < 2) {
      const Shape to = refactored(elements(shape(a)));
      a = add(fmt::format("reshape(#0, {})", to), {a}, to, magnitudes_[a]);
    }
    std::vector<size_t> axes(shape(a).size());
    std::iota(axes.begin(), axes.end(), 0);
    std::ranges::shuffle(axes, generator_);
    Shape to;
    for (const size_t axis : axes) to.push_back(shape(a)[axis]);
    add(fmt::format("transpose(#0, {})", axes), {a}, to, magnitudes_[a]);
  }
  void slice() {
    const size_t a = pick_ranked();
    std::vector<std::string> subscripts;
    Shape to;
    for (const int64_t length : shape(a)) {
      const int64_t begin = between(0, length - 1), end = between(begin + 1, length);
      const size_t kind = below(4);
      if (kind == 0) {
        subscripts.push_back(fmt::format("{}", chance(2) ? begin : begin - length));
      } else {
        subscripts.push_back(kind == 1 ? fmt::format("{}:{}", begin, end) : ":");
        to.push_back(kind == 1 ? end - begin : length);
      }
    }
    add(fmt::format("#0[{}]", fmt::join(subscripts, ", ")), {a}, to, magnitudes_[a]);
  }

  void unary() {
    const size_t a = pick();
    const std::string text = one_of({"tanh(#0)",
                                     "relu(#0)",
                                     "sigmoid(#0)",
                                     "softplus(#0)",
                                     "exp(0.5 * tanh(#0))",
                                     "log(1 + square(#0))",
                                     "log1p(abs(#0))",
                                     "sqrt(1 + square(#0))",
                                     "abs(#0)",
                                     "gelu(#0)",
                                     "silu(#0)",
                                     "elu(#0)",
                                     "sin(#0)",
                                     "leaky_relu(#0)",
                                     "cos(#0)",
                                     "-#0",
                                     "2 * #0",
                                     "1 - #0",
                                     "0.5 * #0 - 0.25",
                                     "stop(#0)",
                                     "floor(#0 + 0.377)",
                                     "#0 / (1 + square(#0))",
                                     "atan2(#0, 1 + square(#0))",
                                     "hypot(#0, 0.3)",
                                     "erf(#0)",
                                     "tanh(#0) ** 3",
                                     "(#0 + 0.377) % 1.5",
                                     "min(#0, 0.3)"});
    add(text, {a}, shape(a), 2 * magnitudes_[a] + 2);
  }

  /// A value or a parameter that can be stretched to `to`.
  size_t operand_for(const Shape& to) {
    for (int tries = 0; tries < 12; ++tries) {
      const size_t other = pick();
      if (shape(other).empty() || (shape(other) == to && (tries > 6 || chance(2)))) return other;
      bool stretches = shape(other).size() == to.size();
      for (size_t axis = 0; stretches && axis < to.size(); ++axis)
        stretches = shape(other)[axis] == to[axis] || shape(other)[axis] == 1;
      if (stretches) return other;
    }
    for (size_t other = net_.statements.size(); chance(2) && other-- > 0;)
      if (elements(shape(other)) == elements(to))
        return add(fmt::format("reshape(#0, {})", to), {other}, to, magnitudes_[other]);
    Shape small = to;
    for (int64_t& length : small)
      if (chance(3)) length = 1;
    return add(fmt::format("parameter({}, init = 0.5)", small), {}, small, 0.5);
  }
  void binary() {
    const size_t a = pick_ranked(), b = operand_for(shape(a));
    const double x = magnitudes_[a], y = magnitudes_[b];
    switch (below(7)) {
      case 0:
      case 1:
        return void(add("#0 + #1", {a, b}, shape(a), x + y));
      case 2:
        return void(add("#1 - #0", {a, b}, shape(a), x + y));
      case 3:
      case 4:
        return void(add("#0 * #1", {a, b}, shape(a), x * y));
      case 5:
        return void(add("#0 / (1 + #1 * #1)", {a, b}, shape(a), x));
      default:
        return void(add(one_of({"max(#0, #1)", "min(#1, #0)"}), {a, b}, shape(a), std::max(x, y)));
    }
  }
  void choose() {
    const size_t a = pick_ranked(), b = operand_for(shape(a)), c = operand_for(shape(a));
    const std::string condition =
        one_of({"#0 > #1 + 0.0377", "#1 <= #2 + 0.0377", "#0 < 0.1", "not (#0 >= #2 + 0.0377)"});
    add(fmt::format("where({}, #1 * #0, #2)", condition), {a, b, c}, shape(a),
        magnitudes_[a] * magnitudes_[b] + magnitudes_[c]);
  }

  void concat() {
    const size_t a = pick();
    if (shape(a).empty()) return void(add("concat(#0, #0, 0.5)", {a}, {3}, magnitudes_[a]));
    const auto axis = below(shape(a).size());
    std::vector<size_t> parts = {a};
    const size_t most = 1 + below(3);
    for (int tries = 0; tries < 20 && parts.size() <= most; ++tries) {
      const size_t other = pick();
      if (shape(other).size() != shape(a).size()) continue;
      Shape fitted = shape(other);
      fitted[axis] = shape(a)[axis];
      if (fitted == shape(a)) parts.push_back(other);
    }
    if (parts.size() == 1) parts.push_back(operand_same(a, axis));
    Shape to = shape(a);
    to[axis] = 0;
    double magnitude = 0;
    std::vector<std::string> names;
    for (size_t i = 0; i < parts.size(); ++i) {
      to[axis] += shape(parts[i])[axis];
      magnitude = std::max(magnitude, magnitudes_[parts[i]]);
      names.push_back(fmt::format("#{}", i));
    }
    if (elements(to) > most_elements) return;
    std::ranges::shuffle(names, generator_);
    add(fmt::format("concat({}, axis = {})", fmt::join(names, ", "), axis), parts, to, magnitude);
  }
  /// A part of `a`, possibly shorter along the axis.
  size_t operand_same(size_t a, size_t axis) {
    Shape to = shape(a);
    const int64_t end = between(1, to[axis]);
    to[axis] = end;
    std::vector<std::string> subscripts(shape(a).size(), ":");
    subscripts[axis] = fmt::format("0:{}", end);
    return add(fmt::format("#0[{}]", fmt::join(subscripts, ", ")), {a}, to, magnitudes_[a]);
  }

  /// A value of shape [c, h, w] or [h, w]: an existing one, or one that is reshaped to [c, h, w].
  size_t image() {
    for (int tries = 0; tries < 8; ++tries) {
      const size_t a = pick();
      if (shape(a).size() == 2 || shape(a).size() == 3) return a;
    }
    const size_t a = pick();
    Shape to = refactored(elements(shape(a)));
    while (to.size() < 3) to.push_back(1);
    if (to.size() > 3) to = {to[0] * to[3], to[1], to[2]};
    return add(fmt::format("reshape(#0, {})", to), {a}, to, magnitudes_[a]);
  }
  void pool() {
    const size_t a = image();
    const Shape from = shape(a).size() == 3 ? shape(a) : Shape{1, shape(a)[0], shape(a)[1]};
    const int64_t k = between(1, 3), l = chance(2) ? k : between(1, 2);
    const std::string window = k == l ? fmt::format("{}", k) : fmt::format("[{}, {}]", k, l);
    if (chance(3)) {
      const Shape to = {from[0], from[1] * k, from[2] * l};
      if (elements(to) <= most_elements)
        add(fmt::format("upsample(#0, {})", window), {a}, to, magnitudes_[a]);
      return;
    }
    const Shape to = {from[0], from[1] / k, from[2] / l};
    if (elements(to) == 0) return;
    add(fmt::format("{}(#0, {})", one_of({"avg_pool", "max_pool"}), window), {a}, to, magnitudes_[a]);
  }

  void reduce() {
    const size_t a = pick_ranked();
    const Shape from = shape(a);
    std::vector<size_t> axes;
    for (size_t axis = 0; axis < from.size(); ++axis)
      if (chance(2)) axes.push_back(axis);
    Shape to;
    int64_t dropped = 1;
    for (size_t axis = 0; axis < from.size(); ++axis) {
      if (axes.empty() || std::ranges::count(axes, axis) > 0) {
        dropped *= from[axis];
      } else {
        to.push_back(from[axis]);
      }
    }
    if (axes.size() == 1 && chance(3))
      return void(add(fmt::format("logsumexp(#0, axis = {})", axes[0]), {a}, to, magnitudes_[a] + 5));
    const bool mean = chance(2);
    std::string axis;
    if (axes.size() == 1) axis = fmt::format(", axis = {}", axes[0]);
    if (axes.size() > 1) axis = fmt::format(", axis = {}", axes);
    const double grown = std::sqrt(static_cast<double>(dropped));
    add(fmt::format("{}(#0{})", mean ? "mean" : "sum", axis), {a}, to, magnitudes_[a] * (mean ? 1 : grown));
  }
  void softmax() {
    const size_t a = pick_ranked();
    add(fmt::format("softmax(#0, axis = {})", below(shape(a).size())), {a}, shape(a), 1);
  }

  /// The shape of `l @ r` for matrices and vectors, or for stacks of matrices; nothing if they do not fit.
  static std::optional<Shape> product_of(const Shape& l, const Shape& r) {
    const bool stacks = l.size() > 2 || r.size() > 2;
    if (stacks && (l.size() != r.size() || !std::equal(l.begin(), l.end() - 2, r.begin()))) return {};
    if (l.back() != (r.size() > 1 ? r[r.size() - 2] : r[0])) return {};
    Shape to(l.begin(), l.end() - 1);
    if (r.size() > 1) to.push_back(r.back());
    return to;
  }
  void matmul() {
    for (int tries = 0; tries < 20; ++tries) {
      const size_t a = pick_ranked(), b = pick_ranked();
      const auto to = product_of(shape(a), shape(b));
      if (!to || elements(*to) > most_elements) continue;
      return void(add("#0 @ #1", {a, b}, *to,
                      magnitudes_[a] * magnitudes_[b] * std::sqrt(static_cast<double>(shape(a).back()))));
    }
    const size_t a = pick_ranked();
    Shape weights = shape(a);
    if (weights.size() < 2) weights.insert(weights.begin(), 1);
    weights[weights.size() - 2] = shape(a).back();
    weights.back() = between(1, 5);
    const Shape to = *product_of(shape(a), weights);
    if (elements(weights) > most_elements || elements(to) > most_elements) return;
    const std::string made =
        fmt::format("parameter({}, init = {})", weights, weights.size() == 2 ? "\"xavier\"" : "0.4");
    const size_t b = add(made, {}, weights, 1);
    add("#0 @ #1", {a, b}, to, magnitudes_[a] * std::sqrt(static_cast<double>(shape(a).back())));
  }

  void layer() {
    switch (below(4)) {
      case 0: {
        const int64_t n = chance(3) ? 16 : between(1, 20);
        return void(add(fmt::format("dense(#0, {})", n), {pick()}, {n}, 2));
      }
      case 1: {
        const size_t a = pick_ranked();
        const int64_t n = between(1, 5);
        Shape to = shape(a);
        to[0] = n;
        if (elements(to) <= most_elements) add(fmt::format("embedding(#0, {})", n), {a}, to, magnitudes_[a]);
        return;
      }
      default:
        return convolve(chance(2));
    }
  }
  void convolve(bool transposed) {
    const size_t a = image();
    const Shape from = shape(a).size() == 3 ? shape(a) : Shape{1, shape(a)[0], shape(a)[1]};
    const int64_t channels = between(1, 4), k = between(1, 3), l = chance(2) ? k : between(1, 2);
    const int64_t s = between(1, 2), p = between(0, 1);
    auto length = [&](int64_t n, int64_t kernel) {
      if (transposed) return (n - 1) * s - 2 * p + kernel;
      return n + 2 * p < kernel ? 0 : (n + 2 * p - kernel) / s + 1;
    };
    const Shape to = {channels, length(from[1], k), length(from[2], l)};
    if (to[1] < 1 || to[2] < 1 || elements(to) > most_elements) return;
    add(fmt::format("{}(#0, {}, kernel = [{}, {}], stride = {}, padding = {})",
                    transposed ? "deconv" : "conv", channels, k, l, s, p),
        {a}, to, magnitudes_[a]);
  }
  void normalise() {
    const size_t a = pick_ranked();
    const int64_t channels = shape(a)[0];
    const int64_t groups = channels % 2 == 0 && chance(2) ? 2 : 1;
    // A random parameter is added first: if all elements were equal, only rounding errors would be left to
    // normalize.
    const size_t noise = add(fmt::format("#0 + parameter({}, init = \"xavier\")", shape(a)), {a}, shape(a),
                             magnitudes_[a] + 1);
    const std::string text = chance(2) ? "layer_norm(#0)" : fmt::format("group_norm(#0, {})", groups);
    add(text, {noise}, shape(a), 3);
  }

  /// The last statement joins the values that no statement has read, so that most statements matter.
  void gather() {
    std::vector<bool> read(net_.statements.size(), false);
    for (const Statement& statement : net_.statements)
      for (const size_t operand : statement.operands) read[operand] = true;
    std::vector<size_t> loose;
    int64_t total = 0;
    for (size_t i = net_.statements.size(); i-- > 0 && loose.size() < 9;) {
      if (read[i] || total + elements(shape(i)) > most_elements) continue;
      loose.push_back(i);
      total += elements(shape(i));
    }
    if (loose.size() < 2) return;
    std::vector<std::string> parts;
    double magnitude = 0;
    for (size_t i = 0; i < loose.size(); ++i) {
      parts.push_back(shape(loose[i]).size() < 2 ? fmt::format("#{}", i) : fmt::format("flatten(#{})", i));
      magnitude = std::max(magnitude, magnitudes_[loose[i]]);
    }
    add(fmt::format("concat({})", fmt::join(parts, ", ")), loose, {total}, magnitude);
  }

  std::mt19937& generator_;
  Net net_;
  std::vector<double> magnitudes_;
};

}  // namespace random_programs
