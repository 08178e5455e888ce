// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_SPARE_H_
#define KMS_AUDIT_SPARE_H_

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "kms/audit/segment.h"

namespace kms::audit {

// A Spare makes the next segment, NULs and all, while the current one is still
// being written: to begin a segment is then a matter of renaming a file, and
// nobody who waits for a record waits for NULs. It is an economy only: without
// one the log begins a segment by itself.
//
// Belongs to one thread; makes the file on another, which takes no signals. The
// file is called "audit-next", and goes with the Spare that made it.
class Spare {
 public:
  // Removes the file that a killed process has left.
  Spare(std::string folder, Segment::Options options);
  ~Spare();
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;

  // Begins to make one, unless one is being made or is there.
  void Prepare();

  // The spare under its new name, or nullptr if none is there.
  std::unique_ptr<Segment> Take(const std::string& path);

 private:
  void Make();
  void Drop();

  const std::string path_;
  const Segment::Options options_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> made_ = false;  // segment_ is ours again, perhaps null.
  std::unique_ptr<Segment> segment_;
  std::thread thread_;
};

}  // namespace kms::audit

#endif  // KMS_AUDIT_SPARE_H_
