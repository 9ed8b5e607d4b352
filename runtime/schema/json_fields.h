// Reads an object of a run's JSON files. The caller asks for each value with its kind and range.
// Failure(bad_data) names the file, the key and what the value must be.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/schema/setting_bounds.h"

namespace schema {

/// A JSON value as text. File names may contain bytes that are not UTF-8, which JSON does not allow; these
/// bytes are replaced.
std::string json_text(const nlohmann::json& value, int indent = -1);

class JsonFields {
 public:
  /// `where`: the file, for messages; `path`: the keys that lead to this object in the file. `object` must
  /// outlive the JsonFields.
  JsonFields(const nlohmann::json& object, std::string where, std::string path = "");

  bool has(const std::string& key) const { return object_.contains(key); }
  int64_t whole(const std::string& key, WholeRange range) const;
  int64_t whole(const std::string& key, WholeRange range, int64_t absent) const;
  double real(const std::string& key, double least, double most) const;
  double real(const std::string& key, double least, double most, double absent) const;
  bool flag(const std::string& key, bool absent) const;
  std::string text(const std::string& key) const;
  std::string text(const std::string& key, const std::string& absent) const;
  /// The text at `key`, which must be one of `words`.
  std::string word(const std::string& key, const std::vector<std::string>& words) const;
  std::string word(const std::string& key, const std::vector<std::string>& words,
                   const std::string& absent) const;
  std::vector<std::string> texts(const std::string& key) const;
  JsonFields object(const std::string& key) const;
  std::vector<std::string> keys() const;

  [[noreturn]] void refuse(const std::string& key, const std::string& needed) const;

 private:
  const nlohmann::json& at(const std::string& key) const;

  const nlohmann::json& object_;
  std::string where_, path_;
};

}  // namespace schema
