// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_WRAP_THEFT_H_
#define HSM_TOKEN_WRAP_THEFT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "hsm/token/session.h"

// The theft of a key by wrapping it, under a key that the thief knows or may
// use otherwise: tried by AES and by RSA, in every way that a token may have.
namespace hsm::token {

// What came of a theft, by gravity: what could not be tried proves nothing.
enum class Attempt : std::uint8_t { kRefused, kNotTried, kSucceeded };

struct Tried {
  Attempt attempt = Attempt::kRefused;
  std::string how;  // By what it succeeded, or why it could not be tried.
};

// The graver of the two.
Tried Worse(Tried one, Tried other);

enum class Victim : std::uint8_t { kSecret, kPrivateKey };

// A WrapThief has wrapping keys of its own, session objects that nobody trusts,
// as anyone who has the PIN can have them. Not thread-safe; `session` must
// outlive it.
class WrapThief {
 public:
  explicit WrapThief(Session& session);
  ~WrapThief();
  WrapThief(const WrapThief&) = delete;
  WrapThief& operator=(const WrapThief&) = delete;

  // Tries to wrap `victim`. An attempt is one that the token refused if it says
  // that the key may not be wrapped, or wraps another, extractable key in the
  // same way; or if the token has no such mechanism. kNotTried if there is
  // nothing to wrap with, or the token has another reason that lies with us.
  Tried Try(ObjectHandle victim, Victim kind);

 private:
  // A wrapping key, and what a token may do with it.
  struct Means;

  Answer<ObjectHandle> MakeAesKey();
  Answer<ObjectHandle> MakeRsaKey();
  // A key of that kind that may be wrapped, made when it is first needed.
  const Answer<ObjectHandle>& Extractable(Victim kind);
  Tried TryBy(const Means& means, ObjectHandle victim, Victim kind);
  bool IsRefusedAs(const Mechanism& mechanism, ObjectHandle with, Victim kind,
                   CK_RV rv);

  Session& session_;
  std::vector<Means> means_;
  std::vector<Answer<ObjectHandle>> extractable_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_WRAP_THEFT_H_
