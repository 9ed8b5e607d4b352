// What compiler and runtime agree on about rows that `publish` offers.
#pragma once

/// Of a Gibbs chain, where the players draw the rows by one: as `source generated { }` has by default.
constexpr int sweeps_of_published_rows = 10;
