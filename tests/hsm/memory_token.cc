// SPDX-License-Identifier: Apache-2.0
#include "tests/hsm/memory_token.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <string>

namespace hsm_test {
namespace {

using base::ErrorCode;

constexpr std::size_t kTag = hsm::kTagSize;

[[noreturn]] void HangForEver(Shared* shared) {
  ++shared->hung;
  while (true) {
    pause();
  }
}

base::Error Unsupported() {
  return {ErrorCode::kUnsupportedOperation, "a memory token has no such keys"};
}

}  // namespace

Shared* Shared::Make() {
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return new (memory) Shared;
}

base::Bytes Flipped(base::ByteView plaintext) {
  base::Bytes flipped(plaintext.begin(), plaintext.end());
  for (std::uint8_t& byte : flipped) {
    byte = static_cast<std::uint8_t>(~byte);
  }
  flipped.resize(flipped.size() + kTag);
  return flipped;
}

hsm::EncryptRequest EncryptOf(std::string_view plaintext) {
  hsm::EncryptRequest request;
  request.plaintext = base::Secret::CopyOf(plaintext);
  return request;
}

hsm::EncryptRequest WrappedEncryptOf(std::string_view plaintext) {
  hsm::EncryptRequest request = EncryptOf(plaintext);
  request.key.wrapped = std::make_shared<hsm::WrappedKey>();
  return request;
}

base::Result<std::unique_ptr<hsm::token::Token>> MemoryToken::Open(
    Shared* shared) {
  ++shared->opens;
  if (shared->crash_at_open > 0) {
    --shared->crash_at_open;
    raise(SIGKILL);
  }
  if (const int code = shared->open_error; code >= 0) {
    return base::Error{static_cast<ErrorCode>(code), "no token today"};
  }
  return std::unique_ptr<Token>(new MemoryToken(shared));
}

base::Result<hsm::GenerateKeyReply> MemoryToken::Execute(
    const hsm::GenerateKeyRequest& request) {
  ++shared_->executed;
  if (request.key.locator.bytes[0] == kSlowKey) {
    HangForEver(shared_);
  }
  hsm::GenerateKeyReply reply;
  std::ranges::copy(request.key.locator.bytes, reply.check_value.begin());
  return reply;
}

base::Result<hsm::Sealed> MemoryToken::Execute(
    const hsm::EncryptRequest& request) {
  ++shared_->executed;
  const std::string_view text = request.plaintext.RevealText();
  if (const int code = shared_->encrypt_error; code >= 0) {
    return base::Error{static_cast<ErrorCode>(code), "no encryption today"};
  }
  if (text == kHang) {
    HangForEver(shared_);
  }
  if (text == kDie) {
    raise(SIGKILL);
  }
  if (text == kTokenGone) {
    return base::Error{ErrorCode::kHsmUnavailable, "the token was pulled out"};
  }
  hsm::Sealed sealed;
  sealed.nonce.fill(0x11);
  sealed.ciphertext = Flipped(request.plaintext.Reveal());
  return sealed;
}

base::Result<hsm::PlaintextReply> MemoryToken::Execute(
    const hsm::DecryptRequest& request) {
  ++shared_->executed;
  base::Bytes bytes = request.sealed.ciphertext;
  if (bytes.size() < kTag ||
      std::any_of(bytes.end() - kTag, bytes.end(),
                  [](std::uint8_t byte) { return byte != 0; })) {
    return base::Error{ErrorCode::kInvalidCiphertext, ""};
  }
  bytes.resize(bytes.size() - kTag);
  bytes = Flipped(bytes);
  bytes.resize(bytes.size() - kTag);
  return hsm::PlaintextReply{base::Secret::CopyOf(base::ByteView(bytes))};
}

base::Result<hsm::GenerateDataKeyReply> MemoryToken::Execute(
    const hsm::GenerateDataKeyRequest& request) {
  ++shared_->executed;
  hsm::GenerateDataKeyReply reply;
  const base::Bytes key(request.size, 0x42);
  reply.sealed.ciphertext = Flipped(key);
  if (request.want_plaintext) {
    reply.plaintext = base::Secret::CopyOf(base::ByteView(key));
  }
  return reply;
}

base::Result<hsm::Sealed> MemoryToken::Execute(
    const hsm::ReEncryptRequest& request) {
  ++shared_->executed;
  return request.sealed;
}

base::Result<hsm::PlaintextReply> MemoryToken::Execute(
    const hsm::RandomRequest& request) {
  ++shared_->executed;
  if (request.size == 0) {
    return base::Error{ErrorCode::kInvalidArgument, "no bytes asked for"};
  }
  return hsm::PlaintextReply{base::Secret(request.size)};
}

base::Result<hsm::EmptyReply> MemoryToken::Execute(
    const hsm::DestroyKeyRequest&) {
  ++shared_->executed;
  return base::Error{ErrorCode::kNotFound, "no such object"};
}

base::Result<hsm::EmptyReply> MemoryToken::Execute(
    const hsm::EvictKeyRequest&) {
  if (const int code = shared_->evict_error; code >= 0) {
    return base::Error{static_cast<ErrorCode>(code), "cannot evict"};
  }
  ++shared_->evictions;
  return hsm::EmptyReply();
}

base::Result<hsm::GenerateKeyReply> MemoryToken::Execute(
    const hsm::CheckKeyRequest&) {
  ++shared_->checked;
  if (const int code = shared_->check_error; code >= 0) {
    return base::Error{static_cast<ErrorCode>(code), "no such key"};
  }
  hsm::GenerateKeyReply reply;
  reply.check_value.fill(static_cast<std::uint8_t>(shared_->check_value));
  return reply;
}

base::Result<hsm::EmptyReply> MemoryToken::Execute(const hsm::HealthRequest&) {
  ++shared_->health_asked;
  if (shared_->hang_health != 0) {
    HangForEver(shared_);
  }
  if (const int code = shared_->health_error; code >= 0) {
    return base::Error{static_cast<ErrorCode>(code), "not well"};
  }
  return hsm::EmptyReply();
}

base::Result<hsm::Capabilities> MemoryToken::Execute(
    const hsm::CapabilitiesRequest&) {
  hsm::Capabilities capabilities;
  capabilities.token_label = "memory";
  capabilities.token_serial = std::to_string(getpid());
  capabilities.algorithm = shared_->algorithm;
  capabilities.notes = {"keeps nothing", "hides nothing"};
  return capabilities;
}

base::Result<hsm::ListKeysReply> MemoryToken::Execute(
    const hsm::ListKeysRequest&) {
  hsm::ListKeysReply reply;
  for (int i = 0; i < kListedKeys; ++i) {
    reply.keys.push_back(
        {base::Bytes(16, static_cast<std::uint8_t>(i)), std::to_string(i)});
  }
  return reply;
}

base::Result<hsm::GenerateKeyPairReply> MemoryToken::Execute(
    const hsm::GenerateKeyPairRequest& request) {
  if (request.key.locator.bytes[0] == kSlowPair) {
    ++shared_->hung;
    while (shared_->finish_slow == 0) {
      poll(nullptr, 0, 1);
    }
  }
  if (request.key.locator.bytes[0] == kSlowKey) {
    HangForEver(shared_);
  }
  return Unsupported();
}

base::Result<hsm::SignReply> MemoryToken::Execute(const hsm::SignRequest&) {
  return Unsupported();
}

base::Result<hsm::MacReply> MemoryToken::Execute(const hsm::MacRequest&) {
  return Unsupported();
}

base::Result<hsm::PlaintextReply> MemoryToken::Execute(
    const hsm::AgreeRequest&) {
  return Unsupported();
}

base::Result<hsm::PlaintextReply> MemoryToken::Execute(
    const hsm::RsaDecryptRequest&) {
  return Unsupported();
}

base::Result<hsm::GenerateDataKeyPairReply> MemoryToken::Execute(
    const hsm::GenerateDataKeyPairRequest&) {
  return Unsupported();
}

base::Result<hsm::ImportKeyReply> MemoryToken::Execute(
    const hsm::ImportKeyRequest&) {
  return Unsupported();
}

base::Result<hsm::ImportRouteReply> MemoryToken::Execute(
    const hsm::ImportRouteRequest&) {
  return Unsupported();
}

base::Result<hsm::GenerateWrappedKeyReply> MemoryToken::Execute(
    const hsm::GenerateWrappedKeyRequest&) {
  return Unsupported();
}

base::Result<hsm::SealExternalReply> MemoryToken::Execute(
    const hsm::SealExternalRequest&) {
  return Unsupported();
}

base::Result<hsm::PlaintextReply> MemoryToken::Execute(
    const hsm::OpenExternalRequest&) {
  return Unsupported();
}

base::Result<hsm::MakeTransportKeyReply> MemoryToken::Execute(
    const hsm::MakeTransportKeyRequest&) {
  return Unsupported();
}

base::Result<hsm::ShareWrappingKeyReply> MemoryToken::Execute(
    const hsm::ShareWrappingKeyRequest&) {
  return Unsupported();
}

base::Result<hsm::EmptyReply> MemoryToken::Execute(
    const hsm::ReceiveWrappingKeyRequest&) {
  return Unsupported();
}

base::Result<hsm::EmptyReply> MemoryToken::Execute(
    const hsm::KeepWrappedKeyRequest&) {
  return Unsupported();
}

base::Result<hsm::CheckPinReply> MemoryToken::Execute(
    const hsm::CheckPinRequest&) {
  return Unsupported();
}

}  // namespace hsm_test
