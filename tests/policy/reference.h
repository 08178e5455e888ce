// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_POLICY_REFERENCE_H_
#define TESTS_POLICY_REFERENCE_H_

#include <memory>
#include <string>

#include "tests/policy/scenario.h"

namespace policy {

// A second evaluator, written from docs/authorization.md alone and for being
// read, not for being fast: it walks the JSON of the documents for each
// question. It shares no code with policy/, so that the two can be compared.
class Reference {
 public:
  explicit Reference(const Scenario& scenario);
  ~Reference();

  // "Allow", "ExplicitDeny" or "ImplicitDeny".
  std::string Answer(const Question& question) const;

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace policy

#endif  // TESTS_POLICY_REFERENCE_H_
