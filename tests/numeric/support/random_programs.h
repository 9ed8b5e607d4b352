// In: a seed. Out: the text of a model with two to four players, whose conditionals compute random nets. For
// a model that fails a check: the smallest program of that kind that still fails.
#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <optional>

#include "tests/numeric/support/random_nets.h"

namespace random_programs {

struct Program {
  /// `players` follows the nets in the text. The nets are named n0, n1, ... in order.
  std::string declarations, players;
  std::vector<Net> nets;

  std::string print() const {
    std::string text = declarations;
    for (size_t i = 0; i < nets.size(); ++i) text += nets[i].print(fmt::format("n{}", i));
    return text + players;
  }
};

class ProgramMaker {
 public:
  explicit ProgramMaker(uint32_t seed) : generator_(seed) {}

  Program make() {
    const size_t kind = generator_() % 8;
    if (kind == 0) return four_players();
    return kind == 1 ? with_classes() : two_players();
  }

 private:
  using Inputs = std::vector<std::pair<std::string, Shape>>;

  Net net(const Inputs& inputs, const Shape& to = {}) {
    const int length = 4 + static_cast<int>(generator_() % 10);
    const int64_t size = to.empty() ? 0 : elements(to);
    Net made = NetMaker(generator_, inputs).make(length, size);
    if (!to.empty() && made.statements.back().shape != to)
      made.statements.push_back({fmt::format("reshape(#0, {})", to), {made.statements.size() - 1}, to});
    // A parameter is added, so that every player has something to learn.
    const Shape result = made.statements.back().shape;
    made.statements.push_back(
        {fmt::format("#0 + parameter({})", result), {made.statements.size() - 1}, result});
    return made;
  }
  Shape shape() { return NetMaker::random_shape(generator_, 130); }
  static std::string declare(const std::string& name, const Shape& shape) {
    return fmt::format("var {} : real[{}]\n", name, fmt::join(shape, ", "));
  }
  /// A variable needs an axis, so a scalar result of a net gets the shape [1].
  static Shape shape_of(const Net& made) {
    const Shape& shape = made.statements.back().shape;
    return shape.empty() ? Shape{1} : shape;
  }

  Program two_players() {
    Program program;
    const Shape y = shape();
    program.nets.push_back(net({{"y", y}}));
    const Shape x = shape_of(program.nets[0]);
    program.nets.push_back(net({{"x", x}}, y));
    program.declarations = declare("x", x) + declare("y", y) +
                           "source pairs { x = npy(\"x.npy\")\n y = npy(\"y.npy\") }\n"
                           "source images { x = npy(\"x.npy\") }\nsource codes { y ~ Normal(0) }\n";
    program.players =
        "decoder p { x | y ~ Normal(n0(y), 0) }\nencoder q { y | x ~ Normal(n1(x), -1) }\n" + learn();
    return program;
  }
  std::string learn() {
    static const std::vector<std::string> methods = {
        "symmetric { steps = 1 }",
        "symmetric { steps = 1 }",
        "supervised { steps = 1 }",
        "elbo { steps = 1; sources = [images] }",
        "elbo { steps = 1; sources = [images]; samples = 2 }",
        "iwae { steps = 1; sources = [images]; samples = 3 }",
    };
    return "learn " + methods[generator_() % methods.size()] + "\n";
  }

  /// A model with a class in addition to the code.
  Program with_classes() {
    Program program;
    const int64_t classes = 2 + static_cast<int64_t>(generator_() % 3);
    const Shape y = shape();
    program.nets.push_back(net({{"c", {classes}}, {"y", y}}));
    const Shape x = shape_of(program.nets[0]);
    program.nets.push_back(net({{"x", x}}, {classes}));
    program.nets.push_back(net({{"c", {classes}}, {"x", x}}, y));
    program.declarations =
        declare("x", x) + declare("y", y) + fmt::format("var c : category({})\n", classes) +
        "source pairs { x = npy(\"x.npy\")\n c = npy(\"c.npy\") }\n"
        "source images { x = npy(\"x.npy\") }\nsource codes { c ~ Categorical(0)\n y ~ Normal(0) }\n";
    program.players =
        "decoder p { x | c, y ~ Normal(n0(c, y), 0) }\n"
        "encoder q { c | x ~ Categorical(n1(x))\n y | c, x ~ Normal(n2(c, x), -1) }\n";
    program.players += generator_() % 2 == 0
                           ? "learn symmetric { steps = 1 }\n"
                           : "learn elbo { steps = 1; sources = [images]; estimator = {y: reparam, c: "
                             "gumbel(0.5)} }\n";
    return program;
  }

  /// Two views of one code. Each has a player of its own that reads it, and a third player reads both.
  Program four_players() {
    Program program;
    const Shape z = shape();
    program.nets.push_back(net({{"z", z}}));
    program.nets.push_back(net({{"z", z}}));
    const Shape x = shape_of(program.nets[0]), w = shape_of(program.nets[1]);
    program.nets.push_back(net({{"x", x}}, z));
    program.nets.push_back(net({{"w", w}}, z));
    program.nets.push_back(net({{"x", x}, {"w", w}}, z));
    program.declarations = declare("x", x) + declare("w", w) + declare("z", z) +
                           "source images { x = npy(\"x.npy\") }\nsource both { x = npy(\"x.npy\")\n"
                           " w = npy(\"w.npy\") }\nsource codes { z ~ Normal(0) }\n";
    program.players =
        "decoder p { x | z ~ Normal(n0(z), 0)\n w | z ~ Normal(n1(z), 0) }\n"
        "encoder q { z | x ~ Normal(n2(x), -1) }\nencoder r { z | w ~ Normal(n3(w), -1) }\n"
        "encoder s { z | x, w ~ Normal(n4(x, w), -1) }\nlearn symmetric { steps = 1 }\n";
    return program;
  }

  std::mt19937 generator_;
};

inline Program make_program(uint32_t seed) { return ProgramMaker(seed).make(); }

/// Replaces statements one by one by a parameter, or by an earlier value of the same shape, as long as
/// `fails` holds.
inline Program shrink(Program program, const std::function<bool(const Program&)>& fails) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t n = 0; n < program.nets.size(); ++n) {
      for (size_t i = program.nets[n].statements.size(); i-- > program.nets[n].inputs.size();) {
        const Statement statement = program.nets[n].statements[i];
        if (!program.nets[n].needed()[i] || statement.text.starts_with("parameter")) continue;
        std::vector<Statement> simpler;
        for (size_t other = 0; other < i; ++other)
          if (program.nets[n].statements[other].shape == statement.shape && statement.text != "#0")
            simpler.push_back({"#0", {other}, statement.shape});
        simpler.push_back({fmt::format("parameter({}, init = 0.5)", statement.shape), {}, statement.shape});
        for (const Statement& replacement : simpler) {
          Program candidate = program;
          candidate.nets[n].statements[i] = replacement;
          if (!fails(candidate)) continue;
          program = std::move(candidate);
          changed = true;
          break;
        }
      }
    }
  }
  return program;
}

inline uint32_t setting(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

/// Runs the check on as many programs as the environment variable `variable` says (`otherwise` if it is not
/// set). If a program fails, reports the smallest version of it that still fails.
inline void check_all(const char* variable, uint32_t otherwise,
                      const std::function<std::optional<std::string>(const std::string&, int64_t)>& check) {
  const uint32_t first = setting("VAEC_RANDOM_FIRST", 1), count = setting(variable, otherwise);
  for (uint32_t seed = first; seed < first + count; ++seed) {
    const Program program = make_program(seed);
    const int64_t rows = 1 + seed % 3;
    const auto fails = [&](const Program& candidate) { return check(candidate.print(), rows).has_value(); };
    if (!fails(program)) continue;
    const Program smallest = shrink(program, fails);
    ADD_FAILURE() << "program " << seed << ": " << *check(smallest.print(), rows) << "\n" << smallest.print();
  }
}

}  // namespace random_programs
