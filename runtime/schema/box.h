// One value on the heap that is copied with its owner, so that a tree of values is itself a value.
#pragma once
#include <memory>
#include <utility>

#include "runtime/schema/fields.h"

namespace schema {

template <class T>
class Box {
 public:
  Box() : value_(std::make_unique<T>()) {}
  Box(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Box(const Box& other) : value_(std::make_unique<T>(*other)) {}
  Box(Box&& other) noexcept = default;
  Box& operator=(Box other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }

  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

  nlohmann::json to_json() const { return write(*value_); }
  static Box from_json(const nlohmann::json& text, const Place& place) {
    Box box;
    read(text, *box, place);
    return box;
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace schema
