// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_COUNTERS_H_
#define KMS_OPERATIONS_COUNTERS_H_

#include <boost/asio/awaitable.hpp>
#include <map>

#include "base/result.h"
#include "hsm/client/client.h"
#include "kms/model.h"
#include "kms/store/store.h"

namespace kms::operations {

// Counters hands out the nonce counters of ciphertext algorithm 2. It reserves
// them from the store in blocks, so that a value is used at most once, whatever
// is killed: what a crash leaves of a block is lost. Belongs to one io thread.
class Counters {
 public:
  explicit Counters(store::Store& store) : store_(store) {}

  // Fails with kLimitExceeded before a material has made 2^32 ciphertexts (NIST
  // SP 800-38D, section 8.3), and warns from 2^31 on.
  boost::asio::awaitable<base::Result<hsm::Counter>> Next(
      const Key& key, const KeyMaterial& material);

 private:
  struct Block {
    hsm::Counter next = 0;
    hsm::Counter end = 0;  // One behind the last.
  };

  store::Store& store_;
  std::map<MaterialId, Block> blocks_;
};

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_COUNTERS_H_
