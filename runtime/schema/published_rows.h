// What the compiler and the runtime must agree on about rows that `publish` offers.
#pragma once

/// Number of sweeps if the players draw the published rows by a Gibbs chain. It equals the default of `source
/// generated { }`.
constexpr int sweeps_of_published_rows = 10;
