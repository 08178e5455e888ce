// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/token_alone.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "base/random.h"
#include "hsm/token/token.h"
#include "tests/fakes/softhsm_token.h"

namespace bench {
namespace {

constexpr std::chrono::duration<double> kSlice = std::chrono::seconds(2);

double KeysPerSecond(hsm::token::Token& token) {
  const auto start = std::chrono::steady_clock::now();
  std::chrono::duration<double> passed{};
  int made = 0;
  while (passed < kSlice) {
    hsm::GenerateKeyRequest request;
    base::RandomBytes(request.key.locator.bytes);
    if (!token.Execute(request)) {
      return 0;
    }
    ++made;
    passed = std::chrono::steady_clock::now() - start;
  }
  return made / passed.count();
}

}  // namespace

void MeasureTokenAlone(const std::string& folder, int in, int out) {
  const base::RealClock clock;
  const fakes::SoftHsmToken softhsm(folder);
  const auto token = hsm::token::Token::Open(softhsm.Config(), clock);
  char command = 0;
  while (token && read(in, &command, 1) == 1) {
    dprintf(out, "%.3f\n", KeysPerSecond(**token));
  }
}

}  // namespace bench
