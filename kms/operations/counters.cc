// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/counters.h"

#include <fmt/format.h>

#include "base/log.h"

namespace kms::operations {
namespace {

constexpr std::uint64_t kBlockSize = 1U << 16;
constexpr hsm::Counter kWarnFrom = hsm::Counter{1} << 31;
constexpr hsm::Counter kLimit = (hsm::Counter{1} << 32) - kBlockSize;

}  // namespace

boost::asio::awaitable<base::Result<hsm::Counter>> Counters::Next(
    const Key& key, const KeyMaterial& material) {
  if (const Block& block = blocks_[material.id]; block.next == block.end) {
    hsm::Counter first = 0;
    auto reserve = [&](store::Transaction& transaction) -> base::Status {
      ASSIGN_OR_RETURN(first,
                       transaction.ReserveCounters(material.id, kBlockSize));
      return {};
    };
    CO_RETURN_IF_ERROR(co_await store_.Write(reserve));
    // Another request may have reserved meanwhile: the newer block wins, the
    // rest of the older one is not used.
    blocks_[material.id] = {first, first + kBlockSize};
    if (first >= kWarnFrom) {
      base::LogWarning("{} has made more than 2^31 ciphertexts: rotate it",
                       key.Arn());
    }
  }
  Block& block = blocks_[material.id];
  if (block.next >= kLimit) {
    co_return base::Error{
        base::ErrorCode::kLimitExceeded,
        fmt::format("{} has encrypted as often as its algorithm allows. Rotate "
                    "it with RotateKeyOnDemand.",
                    key.Arn())};
  }
  co_return block.next++;
}

}  // namespace kms::operations
