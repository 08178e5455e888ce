// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_RECONCILE_H_
#define KMS_OPERATIONS_RECONCILE_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "kms/operations/call.h"

namespace kms::operations {

// How the token of a key store and the store differ. An object that the store
// does not know is reported and never destroyed: the store may be an old
// backup, or the wrong one.
struct Difference {
  std::vector<std::string> unknown;  // CKA_ID in hex, on the token only.
  std::vector<std::string> missing;  // Locators in hex, in the store only.
  std::uint64_t unreadable = 0;      // What kills during creation have left.
};

boost::asio::awaitable<base::Result<Difference>> CompareToken(
    Environment& environment, KeyStore& key_store);

// Writes the difference to the log, with what to do about it.
void LogDifference(const KeyStore& key_store, const Difference& difference);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_RECONCILE_H_
