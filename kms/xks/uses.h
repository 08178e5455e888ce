// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_USES_H_
#define KMS_XKS_USES_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>

#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/external_key.h"
#include "kms/store/store.h"

namespace kms::xks {

// Uses counts how often keys with random IVs encrypt (kAes256GcmCounter, format
// 1 of docs/protocol/xks.md): NIST SP 800-38D, 8.3, allows 2^32 times. Counts
// are reserved from the store in blocks, so a restart wastes some and repeats
// none. Not synchronised: one per io thread.
class Uses {
 public:
  static constexpr std::uint64_t kBlock = std::uint64_t{1} << 16;
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  static constexpr std::uint64_t kWarning = std::uint64_t{1} << 31;

  // `store` is borrowed.
  explicit Uses(store::Store& store) : store_(store) {}

  // Before an encryption. Fails with kInvalidState if the version has been used
  // as often as it may be: the key must be rotated. Keys of other algorithms
  // need no count.
  boost::asio::awaitable<base::Status> Count(const ExternalKeyVersion& version);

 private:
  store::Store& store_;
  std::map<hsm::Locator, std::uint64_t> left_;  // Of the reserved block.
};

}  // namespace kms::xks

#endif  // KMS_XKS_USES_H_
