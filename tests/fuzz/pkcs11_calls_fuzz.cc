// SPDX-License-Identifier: Apache-2.0
// A program that calls the functions of the PKCS#11 module in any order with
// any arguments that are not the caller's own crime (pointers are good or null,
// buffers as long as they are said to be), and a KMS that answers anything:
// every return value is one that the module knows, and nothing is written
// beyond a buffer.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pkcs11/errors.h"
#include "pkcs11/module/functions.h"
#include "pkcs11/module/lifecycle.h"
#include "tests/fuzz/pkcs11_arguments.h"
#include "tests/pkcs11/fake_kms.h"

namespace pkcs11::module {
namespace {

using base::Json;

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

// Answers as a FakeKms does, whose keys stay as they are; or, if it was told
// so, fails or answers nonsense.
class AnyKms final : public Kms {
 public:
  explicit AnyKms(FakeKms& fake) : fake_(fake) {}

  base::Result<Json> Call(std::string_view operation,
                          const Json& request) override {
    if (mood_ >= 0xF0) {
      return Json::object();
    }
    if (mood_ >= 0x80) {
      return base::Error{static_cast<base::ErrorCode>(mood_ - 0x80), "mood"};
    }
    if (operation == "CreateKey") {
      return fake_.Call("DescribeKey",
                        {{"KeyId", "00000000-0000-4000-8000-000000000001"}});
    }
    constexpr auto kChanges = std::to_array<std::string_view>(
        {"CreateAlias", "DeleteAlias", "ScheduleKeyDeletion", "TagResource",
         "UntagResource", "UpdateAlias"});
    if (std::ranges::find(kChanges, operation) != kChanges.end()) {
      return Json::object();
    }
    return fake_.Call(operation, request);
  }

  void set_mood(std::uint8_t mood) { mood_ = mood; }

 private:
  FakeKms& fake_;
  std::uint8_t mood_ = 0;
};

FakeKms& Keys() {
  static FakeKms& fake = *[] {
    auto made = std::make_unique<FakeKms>();
    made->AddKey("ECC_NIST_P256", "SIGN_VERIFY", "p256");
    made->AddKey("RSA_2048", "SIGN_VERIFY", "rsa");
    made->AddKey("RSA_2048", "ENCRYPT_DECRYPT", "oaep");
    made->AddKey("ECC_NIST_P521", "SIGN_VERIFY", "p521");
    made->AddKey("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "ed25519");
    made->AddKey("ECC_NIST_P384", "KEY_AGREEMENT", "ecdh");
    made->AddKey("HMAC_256", "GENERATE_VERIFY_MAC", "hmac");
    made->AddKey("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "envelope");
    return made.release();
  }();
  return fake;
}

// The calling process, and the KMS behind the module that it has.
struct Program : Caller {
  AnyKms* kms = nullptr;  // Owned by the module.
};

CK_SESSION_HANDLE OpenSession() {
  CK_SESSION_HANDLE session = 0;
  Require(C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr,
                        nullptr, &session) == CKR_OK);
  return session;
}

void Install(Program& program) {
  auto clock = std::make_unique<base::FakeClock>(base::WallTime{});
  auto kms = std::make_unique<AnyKms>(Keys());
  program.kms = kms.get();
  auto library = kms::client::LibraryContext::Create();
  Require(library.has_value());
  Parts parts = {std::move(clock), *std::move(library), {}};
  parts.tokens.push_back(std::make_unique<Token>(
      TokenLabel{"fuzz", "0123456789abcdef"}, std::move(kms),
      parts.library.get(), *parts.clock, TokenOptions{}));
  Require(Install(std::make_shared<Module>(std::move(parts))).has_value());

  const CK_SESSION_HANDLE session = OpenSession();
  Require(C_FindObjectsInit(session, nullptr, 0) == CKR_OK);
  program.objects.resize(32);
  CK_ULONG count = 0;
  Require(C_FindObjects(session, program.objects.data(), program.objects.size(),
                        &count) == CKR_OK);
  program.objects.resize(count);
  Require(C_CloseSession(session) == CKR_OK);
}

// Makes a session, and the module if there is none: it stays from input to
// input, unless one finalizes it.
void Begin(Program& program) {
  if (CurrentModule() == nullptr) {
    Install(program);
  }
  Learn(program.sessions, OpenSession());
}

template <typename CFunction>
struct Calling;

template <typename... Args>
struct Calling<CK_RV (*)(Args...)> {
  template <std::size_t kAt>
  using At = std::tuple_element_t<kAt, std::tuple<Args..., std::nullptr_t>>;

  template <std::size_t... kAt>
  static CK_RV Do(CK_RV (*function)(Args...), Arguments& arguments,
                  std::index_sequence<kAt...> /*all*/) {
    // Braces: from the first to the last.
    const std::tuple<Args...> made{
        arguments.template Next<At<kAt>, At<kAt + 1>>()...};
    return std::apply(function, made);
  }
};

template <auto kFunction>
CK_RV CallWith(Arguments& arguments) {
  return []<typename... Args>(CK_RV (*function)(Args...), Arguments& given) {
    return Calling<CK_RV (*)(Args...)>::Do(function, given,
                                           std::index_sequence_for<Args...>());
  }(kFunction, arguments);
}

// Those that are absent, too: an input means the same when one of them comes.
#define CALL(name, ...) CallWith<C_##name>,
constexpr std::array kCalls = {PKCS11_FUNCTIONS_2_40(CALL, CALL, CALL)
                                   PKCS11_FUNCTIONS_3_0(CALL, CALL, CALL)};
#undef CALL

void Step(Input& input, Program& program) {
  const std::uint8_t choice = input.Byte();
  if (choice >= 0xF8) {
    program.kms->set_mood(input.Byte());
    return;
  }
  Arguments arguments(input, program);
  const CK_RV rv = kCalls[choice % kCalls.size()](arguments);
  Require(!RvName(rv).starts_with("CKR 0x"));
  if (rv == CKR_OK) {
    arguments.LearnOutput();
  }
  if (CurrentModule() == nullptr || rv == CKR_SESSION_HANDLE_INVALID) {
    Begin(program);
  }
}

}  // namespace
}  // namespace pkcs11::module

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  static auto& program = *new pkcs11::module::Program;
  pkcs11::module::Input input({bytes, size});
  program.sessions.clear();
  program.words.clear();
  pkcs11::module::Begin(program);
  while (!input.empty()) {
    pkcs11::module::Step(input, program);
  }
  program.kms->set_mood(0);
  pkcs11::module::Require(C_CloseAllSessions(0) == CKR_OK);
  return 0;
}
