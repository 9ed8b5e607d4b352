// The games of the tabular tests: programs over unrestricted tables. Each has a true joint whose conditionals
// the players can express. Counts are integers, so a file of rows can represent the joint exactly. In every
// program `w` is the weight of the rows that know all variables, and `sweeps` is the number of sweeps of the
// chains.
#pragma once
#include <string>
#include <vector>

#include "tests/numeric/support/tabular_games.h"

namespace tabular_games {

struct TabularModel {
  std::string name, text;
  Joint counts;  // counts of the true joint
  Rows own;      // for sources that draw from another joint
};

inline const std::string tables = R"(
param w = 0.1
param sweeps = 10
net table(a, n) = dense(a, n, bias = false)
net pair(a, m, b, n) = flatten(reshape(a, [m, 1]) * reshape(b, [1, n]))
)";

/// Counts of all states, from a function of one state's values.
template <class Count>
Joint counts_of(const std::vector<int>& classes, Count count) {
  Joint counts;
  std::vector<int> state(classes.size(), 0);
  for (bool more = true; more;) {
    counts.push_back(count(state));
    more = false;
    for (size_t v = classes.size(); v-- > 0 && !more; state[v] = more ? state[v] : 0)
      more = ++state[v] < classes[v];
  }
  return counts;
}

inline TabularModel two_players() {
  return {"two players",
          tables + R"(
var x : category(3)
var z : category(2)
source pairs weight w { x = npy("x.npy"); z = npy("z.npy") }
source images { x = npy("x.npy") }
source codes  { z = npy("z.npy") }
decoder p { x | z ~ Categorical(table(z, 3)) }
encoder q { z | x ~ Categorical(table(x, 2)) }
learn symmetric { steps = 1 }
)",
          {30, 5, 10, 20, 5, 30},
          {}};
}

/// Images x, their segmentation s, and codes z, with an arbitrary joint. If only s is known, x and z wait for
/// each other.
inline TabularModel segmentation() {
  return {"segmentation",
          tables + R"(
var s : category(2)
var x : category(3)
var z : category(2)
source full weight w { s = npy("s.npy"); x = npy("x.npy"); z = npy("z.npy") }
source pairs  { s = npy("s.npy"); x = npy("x.npy") }
source images { x = npy("x.npy") }
source masks  { s = npy("s.npy"); complete gibbs(sweeps = sweeps) { x ~ Categorical(0) } }
decoder p { x | s, z ~ Categorical(table(pair(s, 2, z, 2), 3)) }
encoder q {
  s | x ~ Categorical(table(x, 2))
  z | s, x ~ Categorical(table(pair(s, 2, x, 3), 2))
}
learn symmetric { steps = 1 }
)",
          {20, 3, 8, 7, 2, 10, 3, 12, 9, 2, 20, 4},
          {}};
}

/// u has even odds, and x is independent of u given v, as in the decoder.
inline TabularModel ladder() {
  return {"ladder",
          tables + R"(
var u, v : category(2)
var x : category(3)
source full weight w { u = npy("u.npy"); v = npy("v.npy"); x = npy("x.npy") }
source images { x = npy("x.npy") }
source generated { }
decoder p {
  u ~ Categorical(0)
  v | u ~ Categorical(table(u, 2))
  x | v ~ Categorical(table(v, 3))
}
encoder q {
  u | x ~ Categorical(table(x, 2))
  v | u, x ~ Categorical(table(pair(u, 2, x, 3), 2))
}
learn symmetric { steps = 1 }
)",
          counts_of({2, 2, 3},
                    [](const std::vector<int>& state) {
                      const double v[2][2] = {{3, 1}, {1, 3}}, x[2][3] = {{5, 2, 1}, {1, 3, 4}};
                      return v[state[0]][state[1]] * x[state[1]][state[2]];
                    }),
          {}};
}

/// x and y are independent given z, as in the decoder.
inline TabularModel two_encoders() {
  return {"two encoders",
          tables + R"(
var x : category(3)
var y, z : category(2)
source full weight w { x = npy("x.npy"); y = npy("y.npy"); z = npy("z.npy") }
source left  { x = npy("x.npy") }
source right { y = npy("y.npy") }
source both  { x = npy("x.npy"); y = npy("y.npy") }
source codes { z = npy("z.npy") }
decoder p {
  x | z ~ Categorical(table(z, 3))
  y | z ~ Categorical(table(z, 2))
}
encoder q1 { z | x ~ Categorical(table(x, 2)) }
encoder q2 { z | y ~ Categorical(table(y, 2)) }
encoder q3 { z | x, y ~ Categorical(table(pair(x, 3, y, 2), 2)) }
learn symmetric { steps = 1 }
)",
          counts_of({3, 2, 2},
                    [](const std::vector<int>& state) {
                      const double x[2][3] = {{5, 2, 1}, {1, 3, 4}}, y[2][2] = {{3, 1}, {1, 3}},
                                   z[2] = {2, 3};
                      return x[state[2]][state[0]] * y[state[2]][state[1]] * z[state[2]];
                    }),
          {}};
}

/// Given s, c and z are independent of d and x. So every player can ignore the variables that it does not
/// see.
inline TabularModel five_players() {
  return {"five players",
          tables + R"(
var c, d, s, z : category(2)
var x : category(3)
source full weight w {
  c = npy("c.npy"); d = npy("d.npy"); s = npy("s.npy"); z = npy("z.npy"); x = npy("x.npy")
}
source images { c = npy("c.npy"); d = npy("d.npy"); x = npy("x.npy"); complete gibbs(sweeps = sweeps) { } }
source masks  { c = npy("c.npy"); s = npy("s.npy"); complete gibbs(sweeps = sweeps) { } }
player of_c { c | s, z ~ Categorical(table(pair(s, 2, z, 2), 2)) }
player of_d { d | x, s ~ Categorical(table(pair(x, 3, s, 2), 2)) }
player of_z { z | c, s ~ Categorical(table(pair(c, 2, s, 2), 2)) }
player of_s { s | c, d, x, z ~ Categorical(table(pair(pair(c, 2, d, 2), 4, pair(x, 3, z, 2), 6), 2)) }
player of_x { x | s, d ~ Categorical(table(pair(s, 2, d, 2), 3)) }
learn symmetric { steps = 1 }
)",
          counts_of({2, 2, 2, 2, 3},
                    [](const std::vector<int>& state) {
                      const double cz[2][2][2] = {{{4, 1}, {2, 3}}, {{1, 3}, {5, 1}}};
                      const double dx[2][2][3] = {{{4, 1, 1}, {1, 2, 3}}, {{1, 3, 2}, {3, 1, 2}}};
                      return cz[state[2]][state[0]][state[3]] * dx[state[2]][state[1]][state[4]];
                    }),
          {}};
}

/// Two players of one variable. Each maximizes alpha E_own data log p + (1 - alpha) E_the other's draws log
/// p. The variables `here` and `there` only keep the sources apart; they say nothing about x.
inline const std::vector<double> of_p = {6, 3, 1}, of_r = {1, 2, 7};
inline TabularModel shared_statistics() {
  const auto rows = [](const std::vector<double>& x) {
    return counts_of({2, 2, 3}, [&](const std::vector<int>& s) { return x[static_cast<size_t>(s[2])]; });
  };
  return {"shared statistics",
          tables + R"(
param alpha = 0.3
var here, there : category(2)
var x : category(3)
source data_p weight alpha { here ~ Categorical(0); x = npy("data_p.npy") }
source data_r weight alpha { there ~ Categorical(0); x = npy("data_r.npy") }
source from_r weight 1 - alpha { here ~ Categorical(0); there ~ Categorical(0); complete { x ~ r } }
source from_p weight 1 - alpha { here ~ Categorical(0); there ~ Categorical(0); complete { x ~ p } }
player p { x | here ~ Categorical(table(here, 3)) }
player r { x | there ~ Categorical(table(there, 3)) }
learn symmetric { steps = 1 }
)",
          rows({1, 1, 1}),
          {{"data_p", rows(of_p)}, {"data_r", rows(of_r)}}};
}

/// Games whose players can learn the joint distribution that made the data: two players, an image with its
/// segmentation, a ladder, two encoders, five players.
inline std::vector<TabularModel> true_joint_models() {
  return {two_players(), segmentation(), ladder(), two_encoders(), five_players()};
}

}  // namespace tabular_games
