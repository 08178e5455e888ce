// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/fork_gate.h"

#include <pthread.h>

#include <utility>

namespace pkcs11 {
namespace {

// Of the C library's kind, because a child must be able to make them anew, and
// the host may call us while static objects go.
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
int at_work = 0;       // Guarded by mutex: threads inside.
bool closing = false;  // Guarded by mutex: somebody wants to fork.

// OpenSSL may call us back while we are at work.
constinit thread_local int depth = 0;

void Enter() {
  pthread_mutex_lock(&mutex);
  while (closing) {
    pthread_cond_wait(&changed, &mutex);
  }
  ++at_work;
  pthread_mutex_unlock(&mutex);
}

void Leave() {
  pthread_mutex_lock(&mutex);
  if (--at_work == 0 && closing) {
    pthread_cond_broadcast(&changed);
  }
  pthread_mutex_unlock(&mutex);
}

}  // namespace

InsideForkGate::InsideForkGate() {
  if (depth++ == 0) {
    Enter();
  }
}

InsideForkGate::~InsideForkGate() {
  if (--depth == 0) {
    Leave();
  }
}

OutsideForkGate::OutsideForkGate() : depth_(std::exchange(depth, 0)) {
  if (depth_ != 0) {
    Leave();
  }
}

OutsideForkGate::~OutsideForkGate() {
  if (depth_ != 0) {
    Enter();
  }
  depth = depth_;
}

void CloseForkGate() {
  pthread_mutex_lock(&mutex);
  while (closing) {  // Another thread forks, too.
    pthread_cond_wait(&changed, &mutex);
  }
  closing = true;
  while (at_work != 0) {
    pthread_cond_wait(&changed, &mutex);
  }
}

void OpenForkGate() {
  closing = false;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

void MakeForkGate() {
  closing = false;
  changed = PTHREAD_COND_INITIALIZER;
  mutex = PTHREAD_MUTEX_INITIALIZER;
}

}  // namespace pkcs11
