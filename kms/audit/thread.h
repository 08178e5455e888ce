// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_THREAD_H_
#define KMS_AUDIT_THREAD_H_

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace kms::audit {

// Runs `body` on a thread that takes no signals: they are for the thread that
// main() chose.
template <typename Body>
std::thread ThreadWithoutSignals(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(body));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace kms::audit

#endif  // KMS_AUDIT_THREAD_H_
