// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/stats.h"

#include <algorithm>
#include <utility>

namespace kms::operations {
namespace {

std::size_t IndexOf(hsm::XksOutcome outcome) {
  return std::min(static_cast<std::size_t>(outcome), kXksOutcomes - 1);
}

std::size_t BucketOf(std::uint64_t microseconds) {
  const auto* const bound =
      std::ranges::find_if(kXksLatencyBounds, [microseconds](int milliseconds) {
        return microseconds <= std::uint64_t{1000} * milliseconds;
      });
  return static_cast<std::size_t>(bound - kXksLatencyBounds.begin());
}

// Of what a stranger sends, only the words of the API become labels.
std::string StatusLabel(std::string_view status) {
  for (const std::string_view known : {"ACTIVE", "DEGRADED", "UNAVAILABLE"}) {
    if (status == known) {
      return std::string(known);
    }
  }
  return "UNKNOWN";
}

}  // namespace

std::uint64_t XksCounts::Answers(hsm::XksOutcome outcome) const {
  return answers.at(IndexOf(outcome));
}

void XksStats::Count(const XksAsked& asked, const hsm::XksReply& reply) {
  const std::lock_guard lock(mutex_);
  XksCounts& counts = counts_[asked];
  ++counts.answers.at(IndexOf(reply.outcome));
  counts.microseconds += reply.microseconds;
  ++counts.latency.at(BucketOf(reply.microseconds));
}

void XksStats::CountFailure(const XksAsked& asked, base::ErrorCode code) {
  const std::lock_guard lock(mutex_);
  XksCounts& counts = counts_[asked];
  ++(code == base::ErrorCode::kThrottled ? counts.throttled : counts.failed);
}

void XksStats::NoteHealth(std::string_view store, const hsm::XksReply& reply) {
  XksHealth health;
  health.certificate_not_after = reply.certificate_not_after;
  for (const hsm::ExternalManagerHealth& manager : reply.managers) {
    ++health.managers[StatusLabel(manager.status)];
  }
  const std::lock_guard lock(mutex_);
  health_.insert_or_assign(std::string(store), std::move(health));
}

void XksStats::Retain(const std::function<bool(std::string_view)>& is_there) {
  const std::lock_guard lock(mutex_);
  std::erase_if(health_, [&is_there](const auto& entry) {
    return !is_there(entry.first);
  });
  std::erase_if(counts_, [&is_there](const auto& entry) {
    const std::string& store = entry.first.store;
    return !store.empty() && !is_there(store);
  });
}

std::map<XksAsked, XksCounts> XksStats::Counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

XksHealth XksStats::HealthOf(std::string_view store) const {
  const std::lock_guard lock(mutex_);
  const auto it = health_.find(store);
  return it == health_.end() ? XksHealth() : it->second;
}

}  // namespace kms::operations
