#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "runtime/fetch/fetch_api.h"

namespace {

constexpr int cannot_fetch = 66, cannot_write = 73;

struct Transfer {
  int file;
  int64_t before;  // number of bytes that were in the file before
  int write_errno = 0;
  vaert_fetch_progress* progress;
  void* context;
};

size_t take(char* bytes, size_t, size_t count, void* to) {
  auto transfer = static_cast<Transfer*>(to);
  for (size_t done = 0; done < count;) {
    const ssize_t wrote = write(transfer->file, bytes + done, count - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      transfer->write_errno = errno;
      return 0;
    }
    done += static_cast<size_t>(wrote);
  }
  return count;
}

int report(void* to, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  auto transfer = static_cast<Transfer*>(to);
  if (transfer->progress && done > 0)
    transfer->progress(transfer->context, transfer->before + done, total > 0 ? transfer->before + total : 0);
  return 0;
}

struct Outcome {
  CURLcode code;
  long status;
  std::string error;
};

Outcome transfer_once(const char* url, Transfer& transfer) {
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  std::array<char, CURL_ERROR_SIZE> error{};
  curl_easy_setopt(curl.get(), CURLOPT_URL, url);
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(curl.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);  // give up after 30 s without a byte
  curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "vaec");
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(curl.get(), CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.before));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, report);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &transfer);
  Outcome outcome{curl_easy_perform(curl.get()), 0, ""};
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &outcome.status);
  outcome.error = error[0] ? error.data() : curl_easy_strerror(outcome.code);
  return outcome;
}

}  // namespace

extern "C" int vaert_fetch(const char* url, const char* part, vaert_fetch_progress* progress, void* context,
                           char* error, size_t error_size) {
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto fail = [&](int code, const std::string& cause) {
    std::snprintf(error, error_size, "%s", cause.c_str());
    return code;
  };
  if (begun != CURLE_OK) return fail(cannot_fetch, curl_easy_strerror(begun));
  const int file = open(part, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file < 0) return fail(cannot_write, std::strerror(errno));
  struct stat status{};
  fstat(file, &status);
  Transfer transfer{file, status.st_size, 0, progress, context};
  Outcome outcome = transfer_once(url, transfer);
  constexpr long beyond_the_end = 416;
  if (outcome.code == CURLE_RANGE_ERROR) {
    if (ftruncate(file, 0) != 0) transfer.write_errno = errno;
    transfer.before = 0;
    outcome = transfer_once(url, transfer);
  }
  const bool whole =
      outcome.code == CURLE_HTTP_RETURNED_ERROR && outcome.status == beyond_the_end && transfer.before > 0;
  if (close(file) != 0 && transfer.write_errno == 0) transfer.write_errno = errno;
  if (transfer.write_errno != 0) return fail(cannot_write, std::strerror(transfer.write_errno));
  if (outcome.code != CURLE_OK && !whole) return fail(cannot_fetch, outcome.error);
  return 0;
}

extern "C" void* vaert_checksum_begin(const char* algorithm) {
  EVP_MD_CTX* checksum = EVP_MD_CTX_new();
  EVP_DigestInit_ex(checksum, EVP_get_digestbyname(algorithm), nullptr);
  return checksum;
}

extern "C" void vaert_checksum_add(void* checksum, const uint8_t* bytes, size_t count) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(checksum), bytes, count);
}

extern "C" void vaert_checksum_end(void* checksum, char* digits, size_t size) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(checksum), bytes.data(), &count);
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(checksum));
  for (unsigned i = 0; i < count && 2 * i + 2 < size; ++i) std::snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
}
