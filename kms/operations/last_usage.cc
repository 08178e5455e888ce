// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/last_usage.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kms/operations/call.h"

namespace kms::operations {
namespace {

// AWS KMS API Reference, "KeyLastUsageData".
constexpr std::array<std::string_view, 14> kTracked = {
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac"};
static_assert(std::ranges::is_sorted(kTracked));

// Of one commit: others wait for it.
constexpr std::size_t kMostPerChange = 500;

}  // namespace

void LastUsage::Note(const Call& call) {
  if (call.key == nullptr ||
      !std::ranges::binary_search(kTracked, call.operation.name)) {
    return;
  }
  NoteKey(*call.key, call);
  if (call.source != nullptr && call.source->row_id != call.key->row_id) {
    NoteKey(*call.source, call);  // ReEncrypt uses both.
  }
}

void LastUsage::NoteKey(const Key& key, const Call& call) {
  const std::lock_guard lock(mutex_);
  store::LastUse& usage = unsaved_[key.row_id];
  usage.operation = call.operation.name;
  usage.time = call.now;
  usage.event_id = call.event_id;
  usage.request_id = call.request.request_id;
}

base::Result<std::optional<store::LastUse>> LastUsage::Find(
    const std::string& row_id) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = unsaved_.find(row_id); it != unsaved_.end()) {
      return std::optional(it->second);
    }
    if (saving_ != nullptr) {
      if (const auto it = saving_->find(row_id); it != saving_->end()) {
        return std::optional(it->second);
      }
    }
  }
  return store_.FindKeyUsage(row_id);
}

std::vector<store::Store::Change> LastUsage::Begin() {
  const std::lock_guard lock(mutex_);
  std::vector<store::Store::Change> changes;
  if (unsaved_.empty() || saving_ != nullptr) {
    return changes;
  }
  saving_ = std::make_shared<const Usages>(std::exchange(unsaved_, {}));
  for (auto from = saving_->begin(); from != saving_->end();) {
    auto to = from;
    for (std::size_t i = 0; i < kMostPerChange && to != saving_->end(); ++i) {
      ++to;
    }
    changes.emplace_back([usages = saving_, from,
                          to](store::Transaction& change) -> base::Status {
      for (auto it = from; it != to; ++it) {
        RETURN_IF_ERROR(change.PutKeyUsage(it->first, it->second));
      }
      return {};
    });
    from = to;
  }
  return changes;
}

void LastUsage::End(const base::Status& status) {
  const std::lock_guard lock(mutex_);
  if (!status && saving_ != nullptr) {
    // What is newer stays.
    unsaved_.insert(saving_->begin(), saving_->end());
  }
  saving_.reset();
}

boost::asio::awaitable<base::Status> LastUsage::Save() {
  base::Status status;
  const std::vector<store::Store::Change> changes = Begin();
  if (changes.empty()) {
    co_return status;
  }
  for (const store::Store::Change& change : changes) {
    status = co_await store_.Write(change);
    if (!status) {
      break;
    }
  }
  End(status);
  co_return status;
}

base::Status LastUsage::SaveNow() {
  End(base::Error{base::ErrorCode::kTimeout, "cut off"});
  base::Status status;
  const std::vector<store::Store::Change> changes = Begin();
  if (changes.empty()) {
    return status;
  }
  for (const store::Store::Change& change : changes) {
    status = store_.WriteNow(change);
    if (!status) {
      break;
    }
  }
  End(status);
  return status;
}

}  // namespace kms::operations
