// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/uses.h"

#include "base/log.h"

namespace kms::xks {

boost::asio::awaitable<base::Status> Uses::Count(
    const ExternalKeyVersion& version) {
  if (version.ref.algorithm != hsm::Algorithm::kAes256GcmCounter) {
    co_return base::Status();
  }
  const hsm::Locator locator = version.ref.locator;
  if (const auto it = left_.find(locator);
      it != left_.end() && it->second > 0) {
    --it->second;
    co_return base::Status();
  }
  std::uint64_t before = 0;
  auto reserve = [&](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(before,
                     transaction.external_keys().ReserveUses(locator, kBlock));
    if (before + kBlock > kMost) {
      return base::Error{base::ErrorCode::kInvalidState,
                         "the key has encrypted as often as it may: rotate it"};
    }
    return {};
  };
  CO_RETURN_IF_ERROR(co_await store_.Write(reserve));
  if (before >= kWarning) {
    base::LogWarning(
        "xks: version {} of an external key has encrypted {} times; at {} it "
        "encrypts no more: rotate the key",
        version.version, before, kMost);
  }
  left_[locator] += kBlock - 1;
  co_return base::Status();
}

}  // namespace kms::xks
