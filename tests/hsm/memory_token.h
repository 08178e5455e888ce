// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_HSM_MEMORY_TOKEN_H_
#define TESTS_HSM_MEMORY_TOKEN_H_

#include <atomic>
#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "hsm/messages.h"
#include "hsm/token/token.h"

namespace hsm_test {

// What the test and all worker processes see: it lies in shared memory. Codes
// are those of base::ErrorCode; -1 is none.
struct Shared {
  static Shared* Make();

  std::atomic<int> opens{0};           // Attempts to open a token.
  std::atomic<int> open_error{-1};     // What they fail with.
  std::atomic<int> crash_at_open{0};   // How many of them crash.
  std::atomic<int> executed{0};        // Those that use a key or random bytes.
  std::atomic<int> encrypt_error{-1};  // What Encrypt fails with.
  std::atomic<int> checked{0};         // CheckKey requests.
  std::atomic<int> check_error{-1};    // What they fail with.
  std::atomic<int> check_value{0};     // Of every key, each byte.
  // Of new keys.
  std::atomic<hsm::Algorithm> algorithm{hsm::Algorithm::kXaes256Gcm};
  std::atomic<int> health_asked{0};
  std::atomic<int> health_error{-1};
  std::atomic<int> hang_health{0};   // Whether Health requests never end.
  std::atomic<int> evictions{0};     // Of all workers.
  std::atomic<int> evict_error{-1};  // What they fail with.
  std::atomic<int> hung{0};          // Requests that never end.
  std::atomic<int> finish_slow{0};   // Lets those with kSlowPair end.
};

// Plaintexts that make a MemoryToken misbehave when it encrypts them.
inline constexpr std::string_view kHang = "hang";
inline constexpr std::string_view kDie = "die";
inline constexpr std::string_view kTokenGone = "gone";
// A locator that does not let GenerateKey and GenerateKeyPair end.
inline constexpr std::uint8_t kSlowKey = 0xee;

// A locator with which GenerateKeyPair ends when it may, and then fails.
inline constexpr std::uint8_t kSlowPair = 0xef;

// A MemoryToken "encrypts" by flipping every bit, so that a test sees whose
// answer it got. It has no keys and takes every locator.
class MemoryToken final : public hsm::token::Token {
 public:
  // `shared` is borrowed.
  static base::Result<std::unique_ptr<Token>> Open(Shared* shared);

  base::Result<hsm::GenerateKeyReply> Execute(
      const hsm::GenerateKeyRequest& request) override;
  base::Result<hsm::Sealed> Execute(
      const hsm::EncryptRequest& request) override;
  base::Result<hsm::PlaintextReply> Execute(
      const hsm::DecryptRequest& request) override;
  base::Result<hsm::GenerateDataKeyReply> Execute(
      const hsm::GenerateDataKeyRequest& request) override;
  base::Result<hsm::Sealed> Execute(
      const hsm::ReEncryptRequest& request) override;
  base::Result<hsm::PlaintextReply> Execute(
      const hsm::RandomRequest& request) override;
  base::Result<hsm::EmptyReply> Execute(
      const hsm::DestroyKeyRequest& request) override;
  base::Result<hsm::EmptyReply> Execute(
      const hsm::EvictKeyRequest& request) override;
  base::Result<hsm::GenerateKeyReply> Execute(
      const hsm::CheckKeyRequest& request) override;
  base::Result<hsm::EmptyReply> Execute(
      const hsm::HealthRequest& request) override;
  // The serial is the process id.
  base::Result<hsm::Capabilities> Execute(
      const hsm::CapabilitiesRequest& request) override;
  base::Result<hsm::ListKeysReply> Execute(
      const hsm::ListKeysRequest& request) override;
  base::Result<hsm::GenerateKeyPairReply> Execute(
      const hsm::GenerateKeyPairRequest& request) override;
  base::Result<hsm::SignReply> Execute(
      const hsm::SignRequest& request) override;
  base::Result<hsm::MacReply> Execute(const hsm::MacRequest& request) override;
  base::Result<hsm::PlaintextReply> Execute(
      const hsm::AgreeRequest& request) override;
  base::Result<hsm::PlaintextReply> Execute(
      const hsm::RsaDecryptRequest& request) override;
  base::Result<hsm::GenerateDataKeyPairReply> Execute(
      const hsm::GenerateDataKeyPairRequest& request) override;
  base::Result<hsm::ImportKeyReply> Execute(
      const hsm::ImportKeyRequest& request) override;
  base::Result<hsm::ImportRouteReply> Execute(
      const hsm::ImportRouteRequest& request) override;
  base::Result<hsm::GenerateWrappedKeyReply> Execute(
      const hsm::GenerateWrappedKeyRequest& request) override;
  base::Result<hsm::SealExternalReply> Execute(
      const hsm::SealExternalRequest& request) override;
  base::Result<hsm::PlaintextReply> Execute(
      const hsm::OpenExternalRequest& request) override;
  base::Result<hsm::MakeTransportKeyReply> Execute(
      const hsm::MakeTransportKeyRequest& request) override;
  base::Result<hsm::ShareWrappingKeyReply> Execute(
      const hsm::ShareWrappingKeyRequest& request) override;
  base::Result<hsm::EmptyReply> Execute(
      const hsm::ReceiveWrappingKeyRequest& request) override;
  base::Result<hsm::CheckPinReply> Execute(
      const hsm::CheckPinRequest& request) override;
  base::Result<hsm::EmptyReply> Execute(
      const hsm::KeepWrappedKeyRequest& request) override;

 private:
  explicit MemoryToken(Shared* shared) : shared_(shared) {}

  Shared* shared_;
};

// What MemoryToken makes of `plaintext`: its bits flipped, and a tag of zeros.
base::Bytes Flipped(base::ByteView plaintext);

hsm::EncryptRequest EncryptOf(std::string_view plaintext);
// Under a key that any token can unwrap.
hsm::EncryptRequest WrappedEncryptOf(std::string_view plaintext);

// How many keys every MemoryToken lists: more than an ordinary frame holds.
inline constexpr int kListedKeys = 5000;

}  // namespace hsm_test

#endif  // TESTS_HSM_MEMORY_TOKEN_H_
