// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_FORK_GATE_H_
#define PKCS11_FORK_GATE_H_

namespace pkcs11 {

// The fork gate keeps forks and our use of OpenSSL apart. OpenSSL has locks of
// its own, and one that another thread held when the process was forked is
// held in the child for ever. So a fork waits until no thread is at work in a
// function of ours that the host has called, and those that come meanwhile wait
// for it; but nobody waits for the KMS, nor for what the host does when we call
// it back: it may read from a pipe into which nobody writes.
//
// A host that forks within one of our functions, from a signal handler, waits
// for itself.

// A thread that is at work.
class InsideForkGate {
 public:
  InsideForkGate();
  ~InsideForkGate();
  InsideForkGate(const InsideForkGate&) = delete;
  InsideForkGate& operator=(const InsideForkGate&) = delete;
};

// A thread that waits for the KMS or the host in the midst of its work, with
// nothing in its hands that a child could miss. Does nothing in a thread that
// is not at work.
class OutsideForkGate {
 public:
  OutsideForkGate();
  ~OutsideForkGate();
  OutsideForkGate(const OutsideForkGate&) = delete;
  OutsideForkGate& operator=(const OutsideForkGate&) = delete;

 private:
  const int depth_;
};

// What a fork does, in this order; the last two in the parent and the child.
void CloseForkGate();
void OpenForkGate();
void MakeForkGate();

}  // namespace pkcs11

#endif  // PKCS11_FORK_GATE_H_
