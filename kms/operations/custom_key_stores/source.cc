// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/custom_key_stores/source.h"

#include <algorithm>
#include <utility>

namespace kms::operations {

const OpenCustomKeyStore* CustomKeyStoreList::Find(std::string_view id) const {
  const auto it = std::ranges::find_if(
      stores, [id](const auto& open) { return open.store.id == id; });
  return it == stores.end() ? nullptr : &*it;
}

CustomKeyStoreSource::Pass::Pass(CustomKeyStoreSource& source, std::string id,
                                 XksProxyPtr proxy)
    : source_(&source), id_(std::move(id)), proxy_(std::move(proxy)) {}

CustomKeyStoreSource::Pass::Pass(Pass&& other) noexcept
    : source_(std::exchange(other.source_, nullptr)),
      id_(std::move(other.id_)),
      proxy_(std::move(other.proxy_)) {}

CustomKeyStoreSource::Pass::~Pass() {
  if (source_ != nullptr) {
    source_->Return(id_);
  }
}

std::shared_ptr<const CustomKeyStoreList> CustomKeyStoreSource::current()
    const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void CustomKeyStoreSource::Replace(
    std::shared_ptr<const CustomKeyStoreList> next) {
  const std::lock_guard lock(mutex_);
  if (next->revision >= current_->revision) {
    current_ = std::move(next);
  }
  behind_ = needed_ > current_->revision;
}

void CustomKeyStoreSource::FallBehind(std::uint64_t revision) {
  const std::lock_guard lock(mutex_);
  needed_ = std::max(needed_, revision);
  behind_ = needed_ > current_->revision;
}

std::optional<CustomKeyStoreSource::Pass> CustomKeyStoreSource::Admit(
    std::string_view id, ConnectionState state) {
  const std::lock_guard lock(mutex_);
  const OpenCustomKeyStore* const open = current_->Find(id);
  if (behind_ || open == nullptr || open->store.state != state ||
      (open->HasProxy() && open->proxy == nullptr)) {
    return std::nullopt;
  }
  ++out_[open->store.id];
  return std::optional<Pass>(std::in_place, *this, open->store.id, open->proxy);
}

bool CustomKeyStoreSource::IsFull(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto it = out_.find(id);
  return it != out_.end() && it->second >= kMostOut;
}

bool CustomKeyStoreSource::IsAsked(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return out_.contains(id);
}

void CustomKeyStoreSource::Return(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto it = out_.find(id);
  if (--it->second == 0) {
    out_.erase(it);
  }
}

}  // namespace kms::operations
