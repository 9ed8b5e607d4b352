#include "compiler/tensor/build/build_update.h"

#include <limits>
#include <utility>

#include "compiler/tensor/emit.h"

namespace tensor {
namespace {

/// A value of the program that is being built. Operators add operations to the program; a number meets an
/// array in all of its elements.
struct Formula {
  Emit* emit;
  ValueId id;
};

Formula pointwise(Op op, Formula a, Formula b) { return {a.emit, a.emit->pointwise(op, a.id, b.id)}; }
Formula pointwise(Op op, Formula a, double b) { return {a.emit, a.emit->pointwise(op, a.id, b)}; }
Formula operator+(Formula a, Formula b) { return pointwise(Op::add, a, b); }
Formula operator+(Formula a, double b) { return pointwise(Op::add, a, b); }
Formula operator-(double a, Formula b) { return {b.emit, b.emit->pointwise(Op::subtract, a, b.id)}; }
Formula operator*(Formula a, Formula b) { return pointwise(Op::multiply, a, b); }
Formula operator/(Formula a, Formula b) { return pointwise(Op::divide, a, b); }
Formula sqrt(Formula a) { return {a.emit, a.emit->pointwise(Op::sqrt, a.id)}; }
Formula minimum(Formula a, double b) { return pointwise(Op::minimum, a, b); }
Formula maximum(Formula a, double b) { return pointwise(Op::maximum, a, b); }

class UpdateBuilder {
 public:
  UpdateBuilder(const std::string& name, size_t batches) : emit_(program_) {
    program_.name = name;
    program_.batches.assign(batches, -1);
  }
  UpdateBuilder(const UpdateBuilder&) = delete;

  Formula input(const std::string& name, Shape shape) {
    Value value;
    value.op = Op::input;
    value.name = name;
    value.shape = std::move(shape);
    return {&emit_, program_.add(std::move(value))};
  }
  Formula number(const std::string& name) { return input(name, {}); }
  Formula array(const std::string& name) { return input(name, {Extent{1, 0}}); }
  Formula sum(Formula term) {
    std::vector<int64_t> axes;
    for (size_t axis = 0; axis < emit_.shape(term.id).size(); ++axis)
      axes.push_back(static_cast<int64_t>(axis));
    return {&emit_, emit_.reduce(Op::sum, term.id, axes)};
  }
  void output(const std::string& name, Formula term) { program_.outputs.push_back({name, term.id}); }

  /// The gradient after clipping.
  Formula gradient() { return array("gradient") * number("scale"); }

  /// The gradient for optimizers that keep its square. The square of a larger gradient overflows: a second
  /// moment would be infinite, and the parameter would never change again. A gradient that is not finite
  /// stays as it is.
  Formula bounded_gradient() {
    const Formula g = gradient();
    const Formula bounded = minimum(maximum(g, -most_gradient), most_gradient);
    const Formula size{&emit_, emit_.pointwise(Op::abs, g.id)};
    const Formula finite = pointwise(Op::less_equal, size, std::numeric_limits<float>::max());
    return {&emit_, emit_.pointwise(Op::where, {finite.id, bounded.id, g.id})};
  }

  Program program() { return std::move(program_); }

 private:
  static constexpr double most_gradient = 0x1p63;
  Program program_;
  Emit emit_;
};

/// Kingma & Ba 2015; with `decays`, Loshchilov & Hutter 2019, whose decay does not pass through the moments.
/// Players maximize, so they move along the gradient.
Program adam(bool decays) {
  UpdateBuilder b(decays ? "update by adamw" : "update by adam", 1);
  const Formula p = b.array("parameters"), g = b.bounded_gradient();
  const Formula lr = b.number("lr"), beta1 = b.number("beta1"), beta2 = b.number("beta2");
  const Formula correction1 = b.number("1 / (1 - beta1^t)"), correction2 = b.number("1 / (1 - beta2^t)");
  const Formula m = beta1 * b.array("exp_avg") + (1.0 - beta1) * g;
  const Formula v = beta2 * b.array("exp_avg_sq") + (1.0 - beta2) * (g * g);
  const Formula move = lr * correction1 * m / (sqrt(v * correction2) + b.number("eps"));
  b.output("parameters", decays ? p * (1.0 - lr * b.number("weight_decay")) + move : p + move);
  b.output("exp_avg", m);
  b.output("exp_avg_sq", v);
  return b.program();
}

Program sgd() {
  UpdateBuilder b("update by sgd", 1);
  b.output("parameters", b.array("parameters") + b.number("lr") * b.gradient());
  return b.program();
}

Program sgd_with_momentum() {
  UpdateBuilder b("update by sgd with momentum", 1);
  const Formula buffer = b.number("momentum") * b.array("momentum_buffer") + b.gradient();
  b.output("parameters", b.array("parameters") + b.number("lr") * buffer);
  b.output("momentum_buffer", buffer);
  return b.program();
}

}  // namespace

std::vector<UpdateProgram> build_updates() {
  return {{"adam", "", adam(false)},
          {"adamw", "", adam(true)},
          {"sgd", "momentum", sgd_with_momentum()},
          {"sgd", "", sgd()}};
}

/// The formula of torch.nn.utils.clip_grad_norm_.
Program build_clip() {
  UpdateBuilder b("clip", 2);
  const Formula pieces = b.input("pieces", {Extent{1, 0}, Extent{4096, -1}});
  const Formula rest = b.input("rest", {Extent{1, 1}});
  const Formula norm = sqrt(b.sum(pieces * pieces) + b.sum(rest * rest));
  b.output("scale", minimum(b.number("clip") / (norm + 1e-6), 1.0));
  return b.program();
}

}  // namespace tensor
