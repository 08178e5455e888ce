// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/token_alone.h"

#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "base/random.h"
#include "hsm/token/token.h"
#include "tests/fakes/softhsm_token.h"

namespace bench {
namespace {

constexpr std::chrono::duration<double> kSlice = std::chrono::seconds(2);
constexpr int kHotCalls = 20'000;

using hsm::token::Token;

base::Result<hsm::KeyRef> MakeKey(Token& token) {
  hsm::GenerateKeyRequest request;
  base::RandomBytes(request.key.locator.bytes);
  RETURN_IF_ERROR(token.Execute(request));
  return request.key;
}

// How often a second `once`, which gives a Result or Status, succeeds.
template <typename Once>
base::Result<double> TimesPerSecond(Once once) {
  const auto start = std::chrono::steady_clock::now();
  std::chrono::duration<double> passed{};
  int done = 0;
  while (passed < kSlice) {
    RETURN_IF_ERROR(once());
    ++done;
    passed = std::chrono::steady_clock::now() - start;
  }
  return done / passed.count();
}

base::Result<double> SignaturesPerSecond(Token& token, hsm::Algorithm algorithm,
                                         hsm::SignatureScheme scheme) {
  hsm::GenerateKeyPairRequest pair;
  pair.key.algorithm = algorithm;
  base::RandomBytes(pair.key.locator.bytes);
  RETURN_IF_ERROR(token.Execute(pair));
  const hsm::SignRequest sign{.key = pair.key,
                              .scheme = scheme,
                              .hash = hsm::Hash::kSha256,
                              .message = base::Secret(32)};
  return TimesPerSecond([&] { return token.Execute(sign); });
}

double ProcessCpuUs() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e6 +
         static_cast<double>(used.tv_nsec) / 1e3;
}

template <typename Request>
base::Result<double> CpuUsPerCall(Token& token, const Request& request) {
  const double before = ProcessCpuUs();
  for (int i = 0; i < kHotCalls; ++i) {
    RETURN_IF_ERROR(token.Execute(request));
  }
  return (ProcessCpuUs() - before) / kHotCalls;
}

base::Result<double> Measure(Token& token, TokenTask task) {
  if (task == TokenTask::kGenerateKeys) {
    return TimesPerSecond([&] { return MakeKey(token); });
  }
  if (task == TokenTask::kSign) {
    return SignaturesPerSecond(token, hsm::Algorithm::kRsa2048Sign,
                               hsm::SignatureScheme::kPkcs1);
  }
  if (task == TokenTask::kSignP256) {
    return SignaturesPerSecond(token, hsm::Algorithm::kP256Sign,
                               hsm::SignatureScheme::kEcdsa);
  }
  ASSIGN_OR_RETURN(const hsm::KeyRef key, MakeKey(token));
  if (task == TokenTask::kGenerateDataKey) {
    return CpuUsPerCall(token,
                        hsm::GenerateDataKeyRequest{.key = key, .size = 32});
  }
  const hsm::EncryptRequest encrypt{.key = key, .plaintext = base::Secret(32)};
  if (task == TokenTask::kEncrypt) {
    return CpuUsPerCall(token, encrypt);
  }
  ASSIGN_OR_RETURN(hsm::Sealed sealed, token.Execute(encrypt));
  return CpuUsPerCall(
      token, hsm::DecryptRequest{.key = key, .sealed = std::move(sealed)});
}

}  // namespace

void MeasureTokenAlone(const std::string& folder, int in, int out) {
  const base::RealClock clock;
  const fakes::SoftHsmToken softhsm(folder);
  const auto token = hsm::token::Token::Open(softhsm.Config(), clock);
  if (!token) {
    dprintf(out, "%s\n", token.error().message.c_str());
    return;
  }
  for (char task = 0; read(in, &task, 1) == 1;) {
    const auto figure = Measure(**token, static_cast<TokenTask>(task));
    if (!figure) {
      dprintf(out, "%s\n", figure.error().message.c_str());
      return;
    }
    dprintf(out, "%.3f\n", *figure);
  }
}

}  // namespace bench
