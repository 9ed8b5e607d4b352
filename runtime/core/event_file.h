// A TensorBoard event file: records of hand-encoded protocol buffers (tensorflow.Event), each with its length
// and masked CRC-32C. Holds only what the run directory holds already; it is written for the viewer's sake.
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
/// An event as it stands in the file.
std::string record(const std::string& event);

/// The records that are whole and of steps up to `step`; what follows a damaged one is left out.
std::string records_until(const std::string& records, int64_t step);
/// Leaves only those in all event files of `folder`; a file that would hold no event is removed.
void cut_events(const std::filesystem::path& folder, int64_t step);

/// Appends records; a failure says so (cannot_write).
class EventFile {
 public:
  /// A new file in `folder`, made at the first record.
  explicit EventFile(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void add(const std::string& event);

 private:
  std::filesystem::path folder_, path_;
};

double wall_clock();  // seconds since 1970

}  // namespace core
