// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_CODEC_H_
#define HSM_CODEC_H_

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "hsm/messages.h"

// The bytes of every message of hsm/messages.h (docs/protocol/worker.md). A
// message is its fields in the order that Fields() lists them: one list for the
// encoder, the decoder and the tests.
namespace hsm {

// Bounds of the fields that have no fixed size.
inline constexpr std::size_t kMaxBytes = kMaxExternalAad;
inline constexpr std::size_t kMaxText = 4096;

template <typename T, typename Message>
concept Is = std::same_as<std::remove_const_t<T>, Message>;

auto Fields(Is<Locator> auto& m) { return std::tie(m.bytes); }
auto Fields(Is<WrappedKey> auto& m) {
  return std::tie(m.wrapping_key, m.bytes, m.check_value, m.public_key);
}
auto Fields(Is<KeyRef> auto& m) {
  return std::tie(m.locator, m.algorithm, m.wrapped);
}
auto Fields(Is<Sealed> auto& m) { return std::tie(m.nonce, m.ciphertext); }
auto Fields(Is<GenerateKeyRequest> auto& m) {
  return std::tie(m.key, m.shareable);
}
auto Fields(Is<GenerateKeyReply> auto& m) { return std::tie(m.check_value); }
auto Fields(Is<GenerateKeyPairRequest> auto& m) { return std::tie(m.key); }
auto Fields(Is<GenerateKeyPairReply> auto& m) { return std::tie(m.public_key); }
auto Fields(Is<GenerateWrappedKeyRequest> auto& m) {
  return std::tie(m.key, m.wrapping_key);
}
auto Fields(Is<GenerateWrappedKeyReply> auto& m) {
  return std::tie(m.check_value, m.wrapped, m.public_key);
}
auto Fields(Is<SignRequest> auto& m) {
  return std::tie(m.key, m.scheme, m.hash, m.message);
}
auto Fields(Is<SignReply> auto& m) { return std::tie(m.signature); }
auto Fields(Is<MacRequest> auto& m) { return std::tie(m.key, m.message); }
auto Fields(Is<MacReply> auto& m) { return std::tie(m.mac); }
auto Fields(Is<AgreeRequest> auto& m) { return std::tie(m.key, m.public_key); }
auto Fields(Is<RsaDecryptRequest> auto& m) {
  return std::tie(m.key, m.hash, m.ciphertext);
}
auto Fields(Is<GenerateDataKeyPairRequest> auto& m) {
  return std::tie(m.key, m.counter, m.aad, m.pair, m.want_plaintext);
}
auto Fields(Is<GenerateDataKeyPairReply> auto& m) {
  return std::tie(m.public_key, m.private_key, m.sealed);
}
auto Fields(Is<ImportKeyRequest> auto& m) {
  return std::tie(m.key, m.wrapping_key, m.wrapping, m.wrapped, m.strict,
                  m.store_wrapping_key);
}
auto Fields(Is<ImportKeyReply> auto& m) {
  return std::tie(m.check_value, m.public_key, m.route, m.wrapped);
}
auto Fields(Is<ImportRouteRequest> auto& m) {
  return std::tie(m.algorithm, m.wrapping);
}
auto Fields(Is<ImportRouteReply> auto& m) { return std::tie(m.route); }
auto Fields(Is<EncryptRequest> auto& m) {
  return std::tie(m.key, m.counter, m.aad, m.plaintext);
}
auto Fields(Is<DecryptRequest> auto& m) {
  return std::tie(m.key, m.aad, m.sealed);
}
auto Fields(Is<PlaintextReply> auto& m) { return std::tie(m.plaintext); }
auto Fields(Is<GenerateDataKeyRequest> auto& m) {
  return std::tie(m.key, m.counter, m.aad, m.size, m.want_plaintext);
}
auto Fields(Is<GenerateDataKeyReply> auto& m) {
  return std::tie(m.plaintext, m.sealed);
}
auto Fields(Is<ReEncryptRequest> auto& m) {
  return std::tie(m.from, m.from_aad, m.sealed, m.to, m.counter, m.to_aad);
}
auto Fields(Is<RandomRequest> auto& m) { return std::tie(m.size); }
auto Fields(Is<ExternalSealed> auto& m) {
  return std::tie(m.metadata, m.iv, m.ciphertext, m.tag);
}
auto Fields(Is<SealExternalRequest> auto& m) {
  return std::tie(m.key, m.version, m.aad, m.plaintext, m.want_integrity);
}
auto Fields(Is<SealExternalReply> auto& m) {
  return std::tie(m.sealed, m.integrity);
}
auto Fields(Is<OpenExternalRequest> auto& m) {
  return std::tie(m.key, m.aad, m.sealed);
}
auto Fields(Is<XksProxy> auto& m) {
  return std::tie(m.endpoint, m.path, m.region, m.access_key_id,
                  m.secret_access_key);
}
auto Fields(Is<XksRequest> auto& m) {
  return std::tie(m.proxy, m.operation, m.external_key_id, m.kms_request_id,
                  m.kms_operation, m.principal_arn, m.key_arn, m.via_service,
                  m.source_vpc, m.source_vpce, m.aad, m.plaintext, m.sealed);
}
auto Fields(Is<ExternalManagerHealth> auto& m) {
  return std::tie(m.id, m.model, m.status);
}
auto Fields(Is<XksReply> auto& m) {
  return std::tie(m.outcome, m.message, m.microseconds, m.certificate_not_after,
                  m.plaintext, m.sealed, m.key_spec, m.key_usages, m.key_status,
                  m.proxy_vendor, m.proxy_model, m.manager_vendor, m.managers);
}
auto Fields(Is<DestroyKeyRequest> auto& m) { return std::tie(m.locator); }
auto Fields(Is<EvictKeyRequest> auto& m) { return std::tie(m.locator); }
auto Fields(Is<CheckKeyRequest> auto& m) { return std::tie(m.key); }
auto Fields(Is<HealthRequest> auto&) { return std::tie(); }
auto Fields(Is<CapabilitiesRequest> auto&) { return std::tie(); }
auto Fields(Is<Capabilities> auto& m) {
  return std::tie(m.token_label, m.token_serial, m.manufacturer, m.model,
                  m.algorithm, m.notes);
}
auto Fields(Is<ListKeysRequest> auto&) { return std::tie(); }
auto Fields(Is<ListedKey> auto& m) {
  return std::tie(m.id, m.label, m.readable);
}
auto Fields(Is<ListKeysReply> auto& m) { return std::tie(m.keys); }
auto Fields(Is<MakeTransportKeyRequest> auto&) { return std::tie(); }
auto Fields(Is<MakeTransportKeyReply> auto& m) {
  return std::tie(m.public_key, m.hash);
}
auto Fields(Is<ShareWrappingKeyRequest> auto& m) {
  return std::tie(m.wrapping_key, m.check_value, m.public_key, m.hash);
}
auto Fields(Is<ShareWrappingKeyReply> auto& m) { return std::tie(m.wrapped); }
auto Fields(Is<KeepWrappedKeyRequest> auto& m) {
  return std::tie(m.key, m.locator);
}
auto Fields(Is<ReceiveWrappingKeyRequest> auto& m) {
  return std::tie(m.wrapping_key, m.check_value, m.wrapped, m.shareable);
}
auto Fields(Is<CheckPinRequest> auto& m) { return std::tie(m.pin); }
auto Fields(Is<CheckPinReply> auto& m) { return std::tie(m.is_right); }
auto Fields(Is<EmptyReply> auto&) { return std::tie(); }

template <typename T>
concept HasFields = requires(T& message) {
  Fields(message);
};

// An Encoder appends messages to a base::Writer. A field over its bound makes
// Ok() false: the peer would take it for an attack.
class Encoder {
 public:
  explicit Encoder(base::Writer& out) : out_(out) {}

  bool Ok() const { return ok_ && out_.Ok(); }

  template <HasFields Message>
  void Put(const Message& message) {
    std::apply([this](const auto&... field) { (this->Put(field), ...); },
               Fields(message));
  }

 private:
  void Put(std::uint16_t value) { out_.U16(value); }
  void Put(std::uint32_t value) { out_.U32(value); }
  void Put(std::uint64_t value) { out_.U64(value); }
  void Put(bool value) { out_.U8(value ? 1 : 0); }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void Put(Enum value) { out_.U8(static_cast<std::uint8_t>(value)); }
  template <std::size_t kSize>
  void Put(const std::array<std::uint8_t, kSize>& bytes) {
    out_.Raw(bytes);
  }
  void Put(const base::Secret& secret) { Put(secret.Reveal(), kMaxPlaintext); }
  void Put(const base::Bytes& bytes) { Put(bytes, kMaxBytes); }
  void Put(base::ByteView bytes, std::size_t max) {
    ok_ = ok_ && bytes.size() <= max;
    out_.Sized(bytes);
  }
  // Names given by the token or by other programs: cut, not refused.
  void Put(const std::string& text) {
    out_.Sized(std::string_view(text).substr(0, kMaxText));
  }
  template <typename T>
  void Put(const std::shared_ptr<T>& message) {
    Put(message != nullptr);
    if (message != nullptr) {
      Put(*message);
    }
  }
  template <typename T>
  void Put(const std::optional<T>& message) {
    Put(message.has_value());
    if (message.has_value()) {
      Put(*message);
    }
  }
  template <typename T>
  void Put(const std::vector<T>& list) {
    out_.U32(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) {
      Put(item);
    }
  }

  base::Writer& out_;
  bool ok_ = true;
};

// A Decoder reads messages from foreign bytes. Everything that an Encoder could
// not have written fails with kCorrupt: one message has one spelling.
class Decoder {
 public:
  explicit Decoder(base::ByteView bytes) : in_(bytes) {}

  template <HasFields Message>
  base::Status Get(Message& message) {
    base::Status status;
    std::apply(
        [&](auto&... field) {
          static_cast<void>(((status = Get(field)).has_value() && ...));
        },
        Fields(message));
    return status;
  }

  base::Status End() const { return in_.End(); }

 private:
  base::Status Get(std::uint16_t& value) {
    ASSIGN_OR_RETURN(value, in_.U16());
    return {};
  }
  base::Status Get(std::uint32_t& value) {
    ASSIGN_OR_RETURN(value, in_.U32());
    return {};
  }
  base::Status Get(std::uint64_t& value) {
    ASSIGN_OR_RETURN(value, in_.U64());
    return {};
  }
  base::Status Get(bool& value);
  base::Status Get(Algorithm& value);
  base::Status Get(SignatureScheme& value);
  base::Status Get(Hash& value);
  base::Status Get(WrappingAlgorithm& value);
  base::Status Get(ImportRoute& value);
  base::Status Get(XksOperation& value);
  base::Status Get(XksOutcome& value);
  template <std::size_t kSize>
  base::Status Get(std::array<std::uint8_t, kSize>& bytes) {
    ASSIGN_OR_RETURN(const base::ByteView view, in_.Take(kSize));
    std::ranges::copy(view, bytes.begin());
    return {};
  }
  base::Status Get(base::Secret& secret);
  base::Status Get(base::Bytes& bytes);
  base::Status Get(std::string& text);
  template <typename T>
  base::Status Get(std::shared_ptr<const T>& message) {
    bool is_there = false;
    RETURN_IF_ERROR(Get(is_there));
    if (is_there) {
      auto made = std::make_shared<T>();
      RETURN_IF_ERROR(Get(*made));
      message = std::move(made);
    }
    return {};
  }
  template <typename T>
  base::Status Get(std::optional<T>& message) {
    bool is_there = false;
    RETURN_IF_ERROR(Get(is_there));
    if (is_there) {
      RETURN_IF_ERROR(Get(message.emplace()));
    }
    return {};
  }
  // No reserve(): the count is the peer's word until the items are there, and
  // each takes at least four bytes of the frame.
  template <typename T>
  base::Status Get(std::vector<T>& list) {
    ASSIGN_OR_RETURN(const std::uint32_t count, in_.U32());
    for (std::uint32_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(Get(list.emplace_back()));
    }
    return {};
  }

  base::Reader in_;
};

// The whole of `bytes` as one message.
template <HasFields Message>
base::Result<Message> Decode(base::ByteView bytes) {
  Message message;
  Decoder decoder(bytes);
  RETURN_IF_ERROR(decoder.Get(message));
  RETURN_IF_ERROR(decoder.End());
  return message;
}

}  // namespace hsm

#endif  // HSM_CODEC_H_
