// SPDX-License-Identifier: Apache-2.0
#include "hsm/codec.h"

#include "hsm/algorithms.h"

namespace hsm {
namespace {

base::Error Impossible(const char* what) {
  return {base::ErrorCode::kCorrupt, std::string(what) + " has no such value"};
}

}  // namespace

base::Status Decoder::Get(bool& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  if (byte > 1) {
    return Impossible("a boolean");
  }
  value = byte == 1;
  return {};
}

base::Status Decoder::Get(Algorithm& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<Algorithm>(byte);
  if (FindAlgorithm(value) == nullptr) {
    return Impossible("an algorithm");
  }
  return {};
}

base::Status Decoder::Get(SignatureScheme& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<SignatureScheme>(byte);
  if (value < SignatureScheme::kPss || value > SignatureScheme::kEd25519) {
    return Impossible("a signature scheme");
  }
  return {};
}

base::Status Decoder::Get(Hash& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<Hash>(byte);
  if (value < Hash::kSha1 || value > Hash::kSha512) {
    return Impossible("a hash");
  }
  return {};
}

base::Status Decoder::Get(WrappingAlgorithm& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<WrappingAlgorithm>(byte);
  if (value < WrappingAlgorithm::kOaepSha1 ||
      value > WrappingAlgorithm::kRsaAesSha256) {
    return Impossible("a wrapping algorithm");
  }
  return {};
}

base::Status Decoder::Get(ImportRoute& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<ImportRoute>(byte);
  if (value < ImportRoute::kInside || value > ImportRoute::kInWorker) {
    return Impossible("a route");
  }
  return {};
}

base::Status Decoder::Get(XksOperation& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<XksOperation>(byte);
  if (value < XksOperation::kHealth || value > XksOperation::kDecrypt) {
    return Impossible("an XKS operation");
  }
  return {};
}

base::Status Decoder::Get(XksOutcome& value) {
  ASSIGN_OR_RETURN(const std::uint8_t byte, in_.U8());
  value = static_cast<XksOutcome>(byte);
  if (value < XksOutcome::kOk || value > XksOutcome::kForbidden) {
    return Impossible("an outcome");
  }
  return {};
}

base::Status Decoder::Get(base::Secret& secret) {
  ASSIGN_OR_RETURN(const base::ByteView view, in_.Sized(kMaxPlaintext));
  secret = base::Secret::CopyOf(view);
  return {};
}

base::Status Decoder::Get(base::Bytes& bytes) {
  ASSIGN_OR_RETURN(const base::ByteView view, in_.Sized(kMaxBytes));
  bytes.assign(view.begin(), view.end());
  return {};
}

base::Status Decoder::Get(std::string& text) {
  ASSIGN_OR_RETURN(const base::ByteView view, in_.Sized(kMaxText));
  text = base::AsText(view);
  return {};
}

}  // namespace hsm
