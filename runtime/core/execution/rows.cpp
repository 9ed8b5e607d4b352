#include "runtime/core/execution/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <utility>

#include "runtime/core/exchange/peers.h"
#include "runtime/core/execution/philox.h"
#include "runtime/core/inference/drawn_rows.h"
#include "runtime/core/inference/simulator.h"
#include "runtime/data/cells/words.h"
#include "runtime/data/expressions/expression_text.h"
#include "runtime/shared/failure.h"

namespace core {
namespace {

/// Are the words "0", "1", and so on, so that the numbers in a text file are the places of the words?
bool count_up(const std::vector<std::string>& words) {
  for (size_t i = 0; i < words.size(); ++i)
    if (words[i] != fmt::to_string(i)) return false;
  return true;
}

}  // namespace

/// Another model, and the rows that it drew last.
struct Rows::Simulated {
  Simulated(const Image& image, const schema::Reader& in_reader)
      : simulator(image, in_reader), reader(schema::text_of(in_reader)) {}

  Simulator simulator;
  std::string reader;
  std::tuple<int, uint64_t, uint64_t, int64_t, int64_t> drawn_for = {-1, 0, 0, 0, 0};  // all rows of a batch
  data::Table table;
};

std::vector<PatternPart> apportion(const std::vector<Pattern>& patterns, int64_t batch) {
  int64_t all = 0;
  for (const Pattern& pattern : patterns) all += pattern.count;
  if (all == 0) return {{1, batch}};
  std::vector<PatternPart> parts;
  for (const Pattern& pattern : patterns) {
    const auto count = static_cast<double>(pattern.count), whole = static_cast<double>(all);
    parts.push_back(
        {count / whole, std::max<int64_t>(1, std::llround(static_cast<double>(batch) * count / whole))});
  }
  return parts;
}

Rows::~Rows() = default;

Rows::Rows(const Image& image)
    : image_(image),
      context_{data::places_from_environment(image.search_folders()), {}, data::Memory::from_environment()} {}

void Rows::open(const Program& program) {
  for (const Instruction& instruction : program.instructions) {
    const auto* gather = std::get_if<Gather>(&instruction);
    if (!gather) continue;
    const DataColumn& column = image_.columns[static_cast<size_t>(gather->column)];
    const Variable& variable = image_.variables[static_cast<size_t>(column.variable)];
    if (schema::find_reader(column.expression, "peer")) {
      if (peers_) peers_->open(gather->column);
      continue;
    }
    if (const schema::Reader* run = schema::find_reader(column.expression, "run")) {
      std::unique_ptr<Simulated>& other = simulated_[schema::text_of(*run)];
      if (!other) other = std::make_unique<Simulated>(image_, *run);
      continue;
    }
    auto found = columns_.find(gather->column);
    if (found == columns_.end()) {
      found =
          columns_.emplace(gather->column, data::load(column.expression, spec_of(image_, column), context_))
              .first;
      require_same_words(column, found->second);
    }
    if (source_columns_[gather->source].insert(gather->column).second) whole_.erase(gather->source);
    const int64_t rows = found->second.rows();
    const auto [known, first] = counts_.try_emplace(gather->source, rows);
    if (known->second != rows)
      throw Failure(
          Exit::bad_data,
          fmt::format(
              "source {}: `{}` has {} rows, but the columns before it have {}; all columns of a source need "
              "the same number of rows",
              image_.sources[static_cast<size_t>(gather->source)].name, variable.name, rows, known->second));
  }
}

void Rows::require_same_words(const DataColumn& column, const data::Population& population) {
  const Variable& variable = image_.variables[static_cast<size_t>(column.variable)];
  const auto refuse = [&](const std::string& cause) {
    throw Failure(Exit::bad_data,
                  fmt::format("`{}` (category({})) from {}: {}", variable.name, variable.classes,
                              data::expression_text(column.expression), cause));
  };
  if (population.has_written_numbers()) {
    written_numbers_.insert(column.variable);
    if (const auto known = words_.find(column.variable); known != words_.end() && !count_up(known->second))
      refuse(fmt::format("its classes are numbers, but other data have the words {}; all need the same words",
                         data::listed_words(known->second)));
  }
  if (population.words().empty()) return;
  if (written_numbers_.contains(column.variable) && !count_up(population.words()))
    refuse(fmt::format("its words are {}, but other data have numbers; all need the same words",
                       data::listed_words(population.words())));
  const auto [known, first] = words_.try_emplace(column.variable, population.words());
  if (known->second != population.words())
    refuse(
        fmt::format("its words are {}, but other data number the classes by the words {}; name the words "
                    "in the declaration: category({})",
                    data::listed_words(population.words()), data::listed_words(known->second),
                    data::listed_words(known->second)));
}

int64_t Rows::count(int source) const { return whole(source).count; }

bool Rows::misses_all(int source) const {
  const auto counted = counts_.find(source);
  return counted != counts_.end() && counted->second > 0 && count(source) == 0;
}

std::vector<Pattern> Rows::patterns(int source) const {
  const auto counted = counts_.find(source);
  if (counted == counts_.end()) return {Pattern{}};
  std::map<std::set<int>, std::vector<int64_t>> found;
  std::vector<std::pair<int, const std::vector<uint8_t>*>> marks;
  for (int column : source_columns_.at(source))
    if (const std::vector<uint8_t>& missing = columns_.at(column).missing(); !missing.empty())
      marks.emplace_back(image_.columns[static_cast<size_t>(column)].variable, &missing);
  if (marks.empty()) return {Pattern{{}, {}, counted->second}};
  for (int64_t row = 0; row < counted->second; ++row) {
    std::set<int> missing;
    for (const auto& [variable, mark] : marks)
      if ((*mark)[static_cast<size_t>(row)]) missing.insert(variable);
    found[missing].push_back(row);
  }
  std::vector<Pattern> patterns;
  for (auto& [missing, rows] : found) {
    const auto count = static_cast<int64_t>(rows.size());
    patterns.push_back({missing, std::move(rows), count});
  }
  return patterns;
}

const Pattern& Rows::whole(int source) const {
  const auto known = whole_.find(source);
  if (known != whole_.end()) return known->second;
  std::vector<Pattern> patterns = this->patterns(source);
  return whole_[source] = patterns.front().missing.empty() ? std::move(patterns.front()) : Pattern{};
}

std::vector<std::pair<std::string, std::string>> Rows::shapes() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [source, columns] : source_columns_)
    for (const int column : columns) {
      const data::Population& population = columns_.at(column);
      const DataColumn& entry = image_.columns[static_cast<size_t>(column)];
      found.emplace_back(fmt::format("source {}, {}", image_.sources[static_cast<size_t>(source)].name,
                                     image_.name_of(entry.variable)),
                         fmt::format("{} rows of {} numbers", population.rows(), population.row_size()));
    }
  return found;
}

void Rows::note_left_out(int source) {
  const auto counted = counts_.find(source);
  if (counted == counts_.end() || whole(source).count == counted->second || !noted_.insert(source).second)
    return;
  notes_.push_back(fmt::format("source {}: {} of its {} rows have missing values and are left out here",
                               image_.sources[static_cast<size_t>(source)].name,
                               counted->second - whole(source).count, counted->second));
}

std::vector<std::string> Rows::take_notes() { return std::exchange(notes_, {}); }

void Rows::gather(int column, float* to) {
  const data::Population& population = columns_.at(column);
  const auto rows = static_cast<int64_t>(chosen_.size());
  const int64_t width = population.row_size();
  // Each thread takes ranges of 16 rows. Whether rows are many and short, or few and long, a range is enough
  // work for a thread.
  constexpr int64_t range = 16;
  const int64_t ranges = (rows + range - 1) / range;
  std::exception_ptr failure;
#pragma omp parallel for schedule(static) if (rows * width > 1 << 15)
  for (int64_t i = 0; i < ranges; ++i) {
    const int64_t begin = i * range, end = std::min(rows, begin + range);
    try {
      population.gather(chosen_.data() + begin, end - begin, to + begin * width);
    } catch (...) {
#pragma omp critical
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

/// Tells streamed columns which rows the next steps will read. The seed already determines these rows.
void Rows::expect_random(int column, int source, const Pattern& pattern, uint64_t seed, uint64_t step,
                         int64_t place, int64_t rows) {
  constexpr uint64_t ahead = 4;
  const data::Population& population = columns_.at(column);
  if (!population.is_streamed()) return;
  uint64_t& told = told_[{column, source, place}];  // steps before this one have been announced
  if (told <= step || told > step + ahead + 1) told = step + 1;
  std::vector<int64_t> next(static_cast<size_t>(rows));
  for (; told <= step + ahead; ++told) {
    for (int64_t r = 0; r < rows; ++r)
      next[static_cast<size_t>(r)] =
          pattern.row(philox_row(seed, told, source, static_cast<uint32_t>(place + r), pattern.count));
    population.expect(next.data(), rows);
  }
}

void Rows::gather_random(int column, int source, uint64_t seed, uint64_t step, const BatchRows& rows,
                         float* to) {
  gather_random(column, source, whole(source), seed, step, rows, to);
}

Rows::Simulated* Rows::simulated(int column) const {
  const schema::Reader* run =
      schema::find_reader(image_.columns[static_cast<size_t>(column)].expression, "run");
  return run ? simulated_.at(schema::text_of(*run)).get() : nullptr;
}

const data::Population* Rows::peer_rows(int column) const {
  const schema::Reader* peer =
      schema::find_reader(image_.columns[static_cast<size_t>(column)].expression, "peer");
  if (!peer) return nullptr;
  if (!peers_)
    throw Failure(Exit::bad_configuration,
                  fmt::format("rows of peer {} are read by `train` alone", *schema::peer_of(*peer)));
  return &peers_->rows(column);
}

void Rows::gather_simulated(Simulated& other, int column, int source, uint64_t seed, uint64_t step,
                            const BatchRows& rows, float* to) {
  const std::tuple wanted(source, seed, step, rows.place, rows.all);
  if (other.drawn_for != wanted) {
    // Each source, and each pattern of a source, gets different rows.
    const uint64_t own =
        seed + (static_cast<uint64_t>(source) << 40) + (static_cast<uint64_t>(rows.place) << 20);
    other.table = other.simulator.draw(own, step, rows.all);
    other.drawn_for = wanted;
  }
  data::Context context{context_.places, {{other.reader, other.table}}, context_.memory};
  const DataColumn& entry = image_.columns[static_cast<size_t>(column)];
  const data::Population population = data::load(entry.expression, spec_of(image_, entry), context);
  chosen_.resize(static_cast<size_t>(rows.rows));
  std::iota(chosen_.begin(), chosen_.end(), rows.first);
  population.gather(chosen_.data(), rows.rows, to);
}

void Rows::gather_random(int column, int source, const Pattern& pattern, uint64_t seed, uint64_t step,
                         const BatchRows& rows, float* to) {
  if (Simulated* other = simulated(column))
    return gather_simulated(*other, column, source, seed, step, rows, to);
  const int64_t place = rows.place + rows.first;
  chosen_.resize(static_cast<size_t>(rows.rows));
  if (const data::Population* peer = peer_rows(column)) {
    for (int64_t r = 0; r < rows.rows; ++r)
      chosen_[static_cast<size_t>(r)] =
          philox_row(seed, step, source, static_cast<uint32_t>(place + r), peer->rows());
    return peer->gather(chosen_.data(), rows.rows, to);
  }
  for (int64_t r = 0; r < rows.rows; ++r)
    chosen_[static_cast<size_t>(r)] =
        pattern.row(philox_row(seed, step, source, static_cast<uint32_t>(place + r), pattern.count));
  expect_random(column, source, pattern, seed, step, place, rows.rows);
  gather(column, to);
}

void Rows::gather_in_order(int column, int source, int64_t first, int64_t rows, float* to) {
  gather_in_order(column, source, whole(source), first, rows, to);
}

void Rows::gather_in_order(int column, int source, const Pattern& pattern, int64_t first, int64_t rows,
                           float* to) {
  if (Simulated* other = simulated(column))
    return gather_simulated(*other, column, source, 0, static_cast<uint64_t>(first), {0, 0, rows, rows}, to);
  chosen_.resize(static_cast<size_t>(rows));
  if (const data::Population* peer = peer_rows(column)) {
    for (int64_t r = 0; r < rows; ++r) chosen_[static_cast<size_t>(r)] = (first + r) % peer->rows();
    return peer->gather(chosen_.data(), rows, to);
  }
  const data::Population& population = columns_.at(column);
  if (population.is_streamed()) {
    for (int64_t r = 0; r < rows; ++r)
      chosen_[static_cast<size_t>(r)] = pattern.row((first + rows + r) % pattern.count);
    population.expect(chosen_.data(), rows);
  }
  for (int64_t r = 0; r < rows; ++r)
    chosen_[static_cast<size_t>(r)] = pattern.row((first + r) % pattern.count);
  gather(column, to);
}

}  // namespace core
