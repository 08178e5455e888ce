// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_MODULE_STATE_LOCK_H_
#define PKCS11_MODULE_STATE_LOCK_H_

namespace pkcs11::module {

// A StateLock holds the one mutex that guards whatever changes in the module:
// what is current, sessions, tokens, idle connections. One, so that a fork can
// take it and leave the child a state that is whole; and so it must be held for
// moments only: never over a call of the KMS, of OpenSSL, or of the host.
//
// Not recursive. A function that wants the lock held takes it as a parameter.
class StateLock {
 public:
  StateLock();
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
};

// From now on every fork of the process closes the fork gate (fork_gate.h) and
// takes the lock first; the child then
// calls `in_child` with the lock held. Counts only once.
void WatchForks(void (*in_child)(const StateLock& lock));

}  // namespace pkcs11::module

#endif  // PKCS11_MODULE_STATE_LOCK_H_
