// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/stats.h"

#include <algorithm>
#include <utility>

namespace kms::operations {
namespace {

std::size_t IndexOf(hsm::XksOperation operation) {
  return std::min(static_cast<std::size_t>(operation), kXksOperations - 1);
}

std::size_t IndexOf(hsm::XksOutcome outcome) {
  return std::min(static_cast<std::size_t>(outcome), kXksOutcomes - 1);
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

void XksStats::Count(hsm::XksOperation operation, const hsm::XksReply& reply) {
  ++answers_.at(IndexOf(operation)).at(IndexOf(reply.outcome));
  microseconds_.at(IndexOf(operation)) += reply.microseconds;
}

void XksStats::CountFailure(base::ErrorCode code) {
  ++(code == base::ErrorCode::kThrottled ? throttled_ : failed_);
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
}

std::uint64_t XksStats::Answers(hsm::XksOperation operation,
                                hsm::XksOutcome outcome) const {
  return answers_.at(IndexOf(operation)).at(IndexOf(outcome));
}

std::uint64_t XksStats::Microseconds(hsm::XksOperation operation) const {
  return microseconds_.at(IndexOf(operation));
}

XksHealth XksStats::HealthOf(std::string_view store) const {
  const std::lock_guard lock(mutex_);
  const auto it = health_.find(store);
  return it == health_.end() ? XksHealth() : it->second;
}

}  // namespace kms::operations
