// Reads rows of a slow source (pictures, compressed chunks) before they are needed, in threads of its own,
// and keeps each until it was used. The memory is limited: if there is no space for an expected row, the row
// is read when it is needed. An error while reading ahead is ignored; it occurs again, and is reported, when
// the row is needed.
#pragma once
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/data/row_source.h"

namespace data {

template <typename T>
class ReadAhead final : public RowSource<T> {
 public:
  /// Rows have `elements` elements. At most `bytes` bytes of rows are kept.
  ReadAhead(std::shared_ptr<const RowSource<T>> slow, int64_t elements, int64_t bytes, int threads)
      : slow_(std::move(slow)),
        elements_(elements),
        capacity_(static_cast<size_t>(bytes / std::max<int64_t>(1, elements * int64_t{sizeof(T)}))) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~ReadAhead() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  void read(const int64_t* rows, int64_t n, T* to) const override {
    std::vector<int64_t> absent, places;
    for (int64_t i = 0; i < n; ++i) {
      if (const auto row = kept(rows[i])) {
        std::copy(row->begin(), row->end(), to + i * elements_);
      } else {
        absent.push_back(rows[i]);
        places.push_back(i);
      }
    }
    if (absent.empty()) return;
    if (static_cast<int64_t>(absent.size()) == n) return slow_->read(rows, n, to);
    std::vector<T> values(absent.size() * static_cast<size_t>(elements_));
    slow_->read(absent.data(), static_cast<int64_t>(absent.size()), values.data());
    for (size_t i = 0; i < places.size(); ++i)
      std::copy_n(values.begin() + static_cast<int64_t>(i) * elements_, elements_,
                  to + places[i] * elements_);
  }

  void expect(const int64_t* rows, int64_t n) const override {
    const std::lock_guard lock(mutex_);
    ++round_;
    for (int64_t i = 0; i < n; ++i) {
      const auto found = entries_.find(rows[i]);
      const bool known = found != entries_.end();
      if (!known && !make_space()) break;
      Entry& entry = known ? found->second : entries_[rows[i]];
      const bool to_read = !known || (entry.taken && !entry.begun);
      entry.round = round_;
      entry.taken = false;
      if (!known) order_.push_back(rows[i]);
      if (to_read) queue_.push_back(rows[i]);
    }
    changed_.notify_all();
  }

 private:
  using Row = std::shared_ptr<const std::vector<T>>;
  struct Entry {
    Row values;
    bool begun = false, taken = false;
    int64_t round = 0;
  };
  /// A row that was not used after this many further calls of expect() may be dropped.
  static constexpr int64_t forgotten = 256;

  /// The row, if it was read ahead or a thread is reading it (then this waits); else null, and the caller
  /// must read it.
  Row kept(int64_t row) const {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = entries_.find(row);
      if (found == entries_.end()) return nullptr;
      Entry& entry = found->second;
      entry.taken = true;
      if (entry.values) return entry.values;
      if (!entry.begun) return nullptr;  // no thread will read it, because it is now marked as taken
      changed_.wait(lock);
    }
  }

  bool make_space() const {
    if (entries_.size() < capacity_) return true;
    for (size_t tries = order_.size(); tries > 0; --tries) {
      const int64_t oldest = order_.front();
      order_.pop_front();
      const auto found = entries_.find(oldest);
      if (found == entries_.end()) continue;
      const Entry& entry = found->second;
      const bool at_work = entry.begun && !entry.values;
      if (!at_work && (entry.taken || round_ - entry.round > forgotten)) {
        entries_.erase(found);
        return true;
      }
      order_.push_back(oldest);
    }
    return false;
  }

  void work() const {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      const int64_t row = queue_.front();
      queue_.pop_front();
      const auto found = entries_.find(row);
      if (found == entries_.end() || found->second.begun || found->second.taken) continue;
      found->second.begun = true;
      lock.unlock();
      std::vector<T> values(static_cast<size_t>(elements_));
      bool good = true;
      try {
        slow_->read(&row, 1, values.data());
      } catch (...) {
        good = false;  // whoever needs the row gets the error
      }
      lock.lock();
      if (good)
        entries_[row].values = std::make_shared<const std::vector<T>>(std::move(values));
      else
        entries_.erase(row);
      changed_.notify_all();
    }
  }

  std::shared_ptr<const RowSource<T>> slow_;
  int64_t elements_;
  size_t capacity_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::unordered_map<int64_t, Entry> entries_;
  mutable std::deque<int64_t> order_, queue_;
  mutable int64_t round_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace data
