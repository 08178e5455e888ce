// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_AUDIT_FIXTURE_H_
#define TESTS_KMS_AUDIT_FIXTURE_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "kms/audit/files.h"
#include "kms/audit/log.h"

// What the tests of the audit log share.
namespace kms::audit {

inline constexpr base::WallTime kNow{std::chrono::seconds{1795342500}};

// A folder that is removed at the end.
class TempFolder {
 public:
  explicit TempFolder(std::string parent = "/dev/shm") {
    std::string path = parent + "/claviger-audit-XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      path = testing::TempDir() + "/claviger-audit-XXXXXX";
      EXPECT_NE(mkdtemp(path.data()), nullptr);
    }
    path_ = path;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline LogOptions OptionsFor(const std::string& folder) {
  LogOptions options;
  options.folder = folder;
  options.store_id = "store-1";
  options.segment_bytes = 64 << 10;
  options.low_space_bytes = 0;
  return options;
}

// An event of about `size` bytes that carries `number`.
inline std::string TestEvent(int number, std::size_t size = 0) {
  std::string text = "{\"number\":" + std::to_string(number);
  if (size > 0) {
    text += ",\"filler\":\"" + std::string(size, 'x') + "\"";
  }
  return text + "}";
}

inline std::unique_ptr<Log> OpenLog(const LogOptions& options,
                                    const base::Clock& clock) {
  auto log = Log::Open(options, clock);
  EXPECT_TRUE(log.has_value()) << log.error().message;
  return log ? *std::move(log) : nullptr;
}

// Appends events numbered from `first` on, and expects success.
inline void AppendEvents(Log& log, int first, int count, std::size_t size = 0) {
  for (int i = first; i < first + count; ++i) {
    const base::Status status = log.AppendNow(TestEvent(i, size));
    ASSERT_TRUE(status.has_value()) << status.error().message;
  }
}

inline std::vector<std::string> LinesOf(const std::string& folder) {
  std::vector<std::string> lines;
  const auto verified =
      Verify(folder, [&](std::string_view line) { lines.emplace_back(line); });
  EXPECT_TRUE(verified.has_value()) << verified.error().message;
  return lines;
}

inline std::vector<std::string> SegmentPaths(const std::string& folder) {
  std::vector<std::string> paths;
  const auto files = ListSegments(folder);
  for (const SegmentFile& file : files.value()) {
    paths.push_back(folder + "/" + file.name);
  }
  return paths;
}

inline std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void Spill(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace kms::audit

#endif  // TESTS_KMS_AUDIT_FIXTURE_H_
