// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_BENCH_POLICY_ALONE_H_
#define TESTS_BENCH_POLICY_ALONE_H_

#include "base/result.h"

namespace bench {

struct PolicyFigures {
  // CPU of one decision on a compiled key policy of ten statements, of which
  // the last allows, for a request with the context of a Decrypt.
  double decision_us = 0;
  // Cases of policy::EvaluateCase that one core decides in a second: each with
  // a key policy and an identity policy, read and compiled anew.
  double cases_per_second = 0;
};

// Measures for about two seconds of this thread's CPU time. Fails if a decision
// is not the one that was expected.
base::Result<PolicyFigures> MeasurePolicyAlone();

}  // namespace bench

#endif  // TESTS_BENCH_POLICY_ALONE_H_
