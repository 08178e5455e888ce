// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_SIGV4_KEY_H_
#define BASE_SIGV4_KEY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/secret.h"

namespace base {

// Returns the key that signs in `scope` ("date/region/service/aws4_request"):
// four HMACs that start from the secret access key.
Secret DeriveSigningKey(const Secret& secret, std::string_view scope,
                        Hasher& hasher);

// A SigningKeyCache keeps derived signing keys by their full credential
// ("id/date/region/service/aws4_request"). It holds at most `capacity` and
// starts anew when full: keys are cheap to derive, and those of past days go.
//
// Each key carries the generation of the secret that it came from, as its
// caller counts: Find() with another generation finds nothing. Not
// synchronised: one per io thread.
class SigningKeyCache {
 public:
  explicit SigningKeyCache(std::size_t capacity = 1024) : capacity_(capacity) {}

  // The pointer is good until the next call of a method that is not const.
  const Secret* Find(std::string_view credential,
                     std::uint64_t generation) const;
  void Put(std::string_view credential, std::uint64_t generation, Secret key);

  // Wipes the keys of one access key id; of all.
  void Forget(std::string_view access_key_id);
  void Clear() { keys_.clear(); }

  std::size_t size() const { return keys_.size(); }

 private:
  struct Entry {
    std::uint64_t generation;
    Secret key;
  };
  // Lets find() take a view.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::size_t capacity_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> keys_;
};

}  // namespace base

#endif  // BASE_SIGV4_KEY_H_
