#include "runtime/data/expressions/derived_rows.h"

namespace data {
namespace {

template <typename T>
class Placed final : public RowSource<T> {
 public:
  Placed(Column base, int64_t each, std::function<int64_t(int64_t)> place)
      : base_(std::move(base)), each_(each), place_(std::move(place)) {}
  void read(const int64_t* rows, int64_t n, T* to) const override {
    const std::vector<int64_t> wanted = placed(rows, n);
    base_.read(wanted.data(), static_cast<int64_t>(wanted.size()), to);
  }
  void expect(const int64_t* rows, int64_t n) const override {
    const std::vector<int64_t> wanted = placed(rows, n);
    base_.expect(wanted.data(), static_cast<int64_t>(wanted.size()));
  }

 private:
  std::vector<int64_t> placed(const int64_t* rows, int64_t n) const {
    std::vector<int64_t> result;
    result.reserve(n * each_);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < each_; ++k) result.push_back(place_(rows[i] * each_ + k));
    return result;
  }

  Column base_;
  int64_t each_;
  std::function<int64_t(int64_t)> place_;
};

template <typename T>
class Joined final : public RowSource<T> {
 public:
  Joined(Column first, Column second) : first_(std::move(first)), second_(std::move(second)) {}
  void read(const int64_t* rows, int64_t n, T* to) const override {
    const int64_t elements = first_.row_elements();
    for (int64_t i = 0; i < n; ++i) {
      const bool later = rows[i] >= first_.rows;
      const int64_t row = later ? rows[i] - first_.rows : rows[i];
      (later ? second_ : first_).read(&row, 1, to + i * elements);
    }
  }
  void expect(const int64_t* rows, int64_t n) const override {
    std::vector<int64_t> before, after;
    for (int64_t i = 0; i < n; ++i)
      rows[i] < first_.rows ? before.push_back(rows[i]) : after.push_back(rows[i] - first_.rows);
    first_.expect(before.data(), static_cast<int64_t>(before.size()));
    second_.expect(after.data(), static_cast<int64_t>(after.size()));
  }

 private:
  Column first_, second_;
};

template <typename T>
class Computed final : public RowSource<T> {
 public:
  Computed(std::vector<Column> parts, Compute<T> compute)
      : parts_(std::move(parts)), compute_(std::move(compute)) {}
  void read(const int64_t* rows, int64_t n, T* to) const override { compute_(rows, n, to); }
  void expect(const int64_t* rows, int64_t n) const override {
    for (const Column& part : parts_) part.expect(rows, n);
  }

 private:
  std::vector<Column> parts_;
  Compute<T> compute_;
};

/// `column` with other rows: a Source<uint8_t> or a Source<float>, depending on what the column's values are.
template <template <typename> class Source, typename... Parts>
Column with_rows(const Column& column, int64_t rows, const Parts&... parts) {
  Column result = column;
  result.rows = rows;
  result.first_row = 0;
  result.bytes = nullptr;
  result.reals = nullptr;
  result.byte_rows = nullptr;
  result.real_rows = nullptr;
  if (column.is_bytes())
    result.byte_rows = std::make_shared<Source<uint8_t>>(parts...);
  else
    result.real_rows = std::make_shared<Source<float>>(parts...);
  return result;
}

template <typename T>
class Rearranged final : public RowSource<T> {
 public:
  Rearranged(Column base, std::vector<int64_t> places) : base_(std::move(base)), places_(std::move(places)) {}
  void read(const int64_t* rows, int64_t n, T* to) const override {
    const int64_t elements = base_.row_elements();
    std::vector<T> values(n * elements);
    base_.read(rows, n, values.data());
    for (int64_t i = 0; i < n; ++i)
      for (const int64_t place : places_) *to++ = values[i * elements + place];
  }
  void expect(const int64_t* rows, int64_t n) const override { base_.expect(rows, n); }

 private:
  Column base_;
  std::vector<int64_t> places_;
};

}  // namespace

Column placed_rows(const Column& column, int64_t rows, int64_t each, std::function<int64_t(int64_t)> place) {
  return with_rows<Placed>(column, rows, column, each, place);
}

Column joined_rows(const Column& first, const Column& second) {
  return with_rows<Joined>(first, first.rows + second.rows, first, second);
}

Column rearranged_rows(const Column& column, const Shape& wanted, std::vector<int64_t> places) {
  Column result = with_rows<Rearranged>(column, column.rows, column, places);
  result.row_shape = wanted;
  return result;
}

std::shared_ptr<const RowSource<uint8_t>> computed_rows(std::vector<Column> parts, Compute<uint8_t> compute) {
  return std::make_shared<Computed<uint8_t>>(std::move(parts), std::move(compute));
}

std::shared_ptr<const RowSource<float>> computed_rows(std::vector<Column> parts, Compute<float> compute) {
  return std::make_shared<Computed<float>>(std::move(parts), std::move(compute));
}

}  // namespace data
