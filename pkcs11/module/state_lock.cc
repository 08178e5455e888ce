// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/state_lock.h"

#include <pthread.h>

#include <mutex>
#include <new>

#include "pkcs11/fork_gate.h"

namespace pkcs11::module {
namespace {

// Neither has a destructor that does anything: the host may call us while its
// own static objects go.
constinit std::mutex mutex;
constinit std::once_flag watched;

// The lock that the thread which forks holds meanwhile, made in place.
alignas(StateLock) unsigned char of_fork[sizeof(StateLock)];
void (*child_function)(const StateLock& lock) = nullptr;

StateLock& LockOfFork() { return *reinterpret_cast<StateLock*>(of_fork); }

void BeforeFork() {
  CloseForkGate();  // First: who is at work may want the lock.
  new (of_fork) StateLock;
}
void InParent() {
  LockOfFork().~StateLock();
  OpenForkGate();
}
void InChild() {
  child_function(LockOfFork());
  LockOfFork().~StateLock();
  MakeForkGate();
}

}  // namespace

StateLock::StateLock() { mutex.lock(); }
StateLock::~StateLock() { mutex.unlock(); }

void WatchForks(void (*in_child)(const StateLock& lock)) {
  std::call_once(watched, [in_child] {
    child_function = in_child;
    pthread_atfork(BeforeFork, InParent, InChild);
  });
}

}  // namespace pkcs11::module
