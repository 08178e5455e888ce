// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_SOFTHSM_WORKERS_H_
#define TESTS_KMS_SOFTHSM_WORKERS_H_

#include "base/clock.h"
#include "tests/fakes/softhsm_token.h"
#include "tests/hsm/supervised.h"

namespace kms::operations {

// A SoftHSM token and two worker processes on it, which must be made before the
// first thread.
struct SoftHsmWorkers {
  SoftHsmWorkers() {
    supervised.options().prepare = hsm::OnToken(
        [this] { return hsm::token::Token::Open(token.Config(), clock); });
    supervised.Start();
  }

  base::RealClock clock;
  fakes::SoftHsmToken token;
  hsm_test::Supervised supervised{2};
};

}  // namespace kms::operations

#endif  // TESTS_KMS_SOFTHSM_WORKERS_H_
