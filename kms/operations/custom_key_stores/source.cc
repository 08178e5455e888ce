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
                                 XksProxyPtr proxy, std::uint64_t number)
    : source_(&source),
      id_(std::move(id)),
      proxy_(std::move(proxy)),
      number_(number) {}

CustomKeyStoreSource::Pass::Pass(Pass&& other) noexcept
    : source_(std::exchange(other.source_, nullptr)),
      id_(std::move(other.id_)),
      proxy_(std::move(other.proxy_)),
      number_(other.number_) {}

CustomKeyStoreSource::Pass::~Pass() {
  if (source_ != nullptr) {
    source_->Return(id_, number_);
  }
}

CustomKeyStoreSource::CustomKeyStoreSource()
    : Current(std::make_shared<const CustomKeyStoreList>()) {}

std::optional<CustomKeyStoreSource::Pass> CustomKeyStoreSource::Admit(
    std::string_view id, ConnectionState state) {
  // Counted before the list can be replaced: who disconnects sees it.
  return Read(
      [&](const CustomKeyStoreList& list, bool behind) -> std::optional<Pass> {
        const OpenCustomKeyStore* const open = list.Find(id);
        if (behind || open == nullptr || open->store.state != state ||
            (open->HasProxy() && open->proxy == nullptr)) {
          return std::nullopt;
        }
        const std::lock_guard lock(mutex_);
        out_[open->store.id].insert(++last_pass_);
        return std::optional<Pass>(std::in_place, *this, open->store.id,
                                   open->proxy, last_pass_);
      });
}

bool CustomKeyStoreSource::IsFull(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto it = out_.find(id);
  return it != out_.end() && it->second.size() >= kMostOut;
}

std::uint64_t CustomKeyStoreSource::LastPass() const {
  const std::lock_guard lock(mutex_);
  return last_pass_;
}

bool CustomKeyStoreSource::IsAsked(std::string_view id,
                                   std::uint64_t last) const {
  const std::lock_guard lock(mutex_);
  const auto it = out_.find(id);
  return it != out_.end() && *it->second.begin() <= last;
}

base::MonotonicTime CustomKeyStoreSource::TroubleSince(
    const std::string& id, base::MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  return troubles_.try_emplace(id, now).first->second;
}

void CustomKeyStoreSource::EndTrouble(std::string_view id) {
  const std::lock_guard lock(mutex_);
  const auto it = troubles_.find(id);
  if (it != troubles_.end()) {
    troubles_.erase(it);
  }
}

void CustomKeyStoreSource::Return(const std::string& id, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto it = out_.find(id);
  it->second.erase(number);
  if (it->second.empty()) {
    out_.erase(it);
  }
}

}  // namespace kms::operations
