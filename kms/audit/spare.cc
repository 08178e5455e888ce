// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/spare.h"

#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "kms/audit/thread.h"

namespace kms::audit {

Spare::Spare(std::string folder, Segment::Options options)
    : path_(std::move(folder) + "/audit-next"), options_(options) {
  unlink(path_.c_str());
}

Spare::~Spare() {
  stop_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  Drop();
}

void Spare::Prepare() {
  if (!thread_.joinable()) {
    made_ = false;
    thread_ = ThreadWithoutSignals([this] { Make(); });
  }
}

std::unique_ptr<Segment> Spare::Take(const std::string& path) {
  if (!made_) {
    return nullptr;
  }
  thread_.join();
  made_ = false;
  if (segment_ == nullptr) {
    return nullptr;
  }
  if (const base::Status moved = segment_->MoveTo(path); !moved) {
    base::LogWarning("audit: a prepared segment is of no use: cannot {}",
                     moved.error().message);
    Drop();
    return nullptr;
  }
  return std::move(segment_);
}

// On the thread. A disk with less room than a whole segment keeps it for what
// must be written.
void Spare::Make() {
  auto segment = Segment::Create(path_, options_);
  if (segment && (*segment)->capacity() >= options_.bytes &&
      (*segment)->ZeroWhole(stop_)) {
    segment_ = *std::move(segment);
  } else if (segment) {
    unlink(path_.c_str());
  }
  made_ = true;
}

void Spare::Drop() {
  if (segment_ != nullptr) {
    unlink(segment_->path().c_str());
    segment_.reset();
  }
}

}  // namespace kms::audit
