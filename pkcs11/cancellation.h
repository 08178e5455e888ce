// SPDX-License-Identifier: Apache-2.0
#ifndef PKCS11_CANCELLATION_H_
#define PKCS11_CANCELLATION_H_

#include <pthread.h>

namespace pkcs11 {

// While there is one, its thread is not cancelled. The C library cancels a
// thread that waits for the KMS by unwinding its stack, which ends the whole
// process at the first function that throws nothing. The host's
// pthread_cancel() counts when our function has returned.
class WithoutCancellation {
 public:
  WithoutCancellation() {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_);
  }
  ~WithoutCancellation() { pthread_setcancelstate(before_, nullptr); }
  WithoutCancellation(const WithoutCancellation&) = delete;
  WithoutCancellation& operator=(const WithoutCancellation&) = delete;

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

}  // namespace pkcs11

#endif  // PKCS11_CANCELLATION_H_
