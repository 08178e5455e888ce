// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_HASH_H_
#define BASE_HASH_H_

#include <openssl/types.h>

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace base {

using Digest = std::array<std::uint8_t, 32>;

// A Hasher computes SHA-256 and HMAC-SHA-256 with algorithms fetched once and
// contexts used again: half to a third of the cost of fetching each time. It is
// not synchronised: one Hasher per thread (ThreadHasher), or per client object.
class Hasher {
 public:
  // `context` is borrowed; nullptr is OpenSSL's default library context, which
  // a library that others load must not use. Aborts if OpenSSL lacks SHA-256.
  explicit Hasher(OSSL_LIB_CTX* context);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Digest Sha256(ByteView data);
  Digest HmacSha256(ByteView key, ByteView data);

  // SHA-256 over several pieces: Start, Update..., Finish.
  void Start();
  void Update(ByteView data);
  Digest Finish();

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
};

// The calling thread's Hasher in the default library context.
Hasher& ThreadHasher();

}  // namespace base

#endif  // BASE_HASH_H_
