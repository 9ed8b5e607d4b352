// A TensorBoard event file: protocol buffers (tensorflow.Event, encoded by hand), each with its length and
// masked CRC-32C. It only repeats for TensorBoard what the run directory holds anyway.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace core {

uint32_t crc32c(const std::string& bytes);

/// Events as bytes, so that a test can read them back.
std::string version_event(double wall_time);
std::string scalar_event(double wall_time, int64_t step,
                         const std::vector<std::pair<std::string, double>>& scalars);
std::string image_event(double wall_time, int64_t step, const std::string& tag, int64_t height, int64_t width,
                        int64_t channels, const std::string& png);
/// An event with its length and checksums, as it stands in the file.
std::string record(const std::string& event);

/// The undamaged records of steps up to `step`. After a damaged record, everything is left out.
std::string records_until(const std::string& records, int64_t step);
/// Cuts all event files of `folder` to these records. Removes a file that would then hold no event.
void cut_events(const std::filesystem::path& folder, int64_t step);

/// Appends records to a file. Failure(cannot_write) if that fails.
class EventFile {
 public:
  /// A new file in `folder`, which is made when the first record is added.
  explicit EventFile(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void add(const std::string& event);

 private:
  std::filesystem::path folder_, path_;
};

double wall_clock();  // seconds since 1970

}  // namespace core
