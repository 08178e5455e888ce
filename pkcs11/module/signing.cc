// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/signing.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "pkcs11/module/message.h"
#include "pkcs11/module/soft/hmac.h"

namespace pkcs11::module {
namespace {

using base::Json;

Json KeyIdOf(const Key& key) { return base::WipingString(key.arn); }

// The KMS answers what is not valid with an error; this is in case another one
// does not.
Status CheckSaysTrue(const Json& reply, const char* member) {
  const auto said = reply.find(member);
  if (said == reply.end() || *said != true) {
    return Failure(CKR_SIGNATURE_INVALID);
  }
  return {};
}

// What Sign and Verify have in common.
Answer<Json> RequestAbout(const SignatureKind& kind, base::ByteView input) {
  ASSIGN_OR_FAIL(const KmsMessage message, ToKms(kind, input));
  return Json{{"KeyId", KeyIdOf(*kind.key)},
              {"Message", Base64Json(message.message)},
              {"MessageType", message.is_digest ? "DIGEST" : "RAW"},
              {"SigningAlgorithm", base::WipingString(message.algorithm)}};
}

// Makes signatures with the private key of a pair.
class KeyPairSigning final : public SignOperation {
 public:
  KeyPairSigning(SignatureKind kind, Message message, Kms& kms)
      : kind_(std::move(kind)), message_(std::move(message)), kms_(kms) {}

  std::size_t size() const override { return SizeOf(kind_); }
  Status Update(base::ByteView part) override { return message_.Update(part); }

  Answer<base::Bytes> Finish() override {
    ASSIGN_OR_FAIL(const base::WipingBytes input, message_.Finish());
    ASSIGN_OR_FAIL(const Json request, RequestAbout(kind_, input));
    ASSIGN_OR_FAIL(const Json reply, kms_.Call("Sign", request));
    ASSIGN_OR_FAIL(base::Bytes signature, BytesMember(reply, "Signature"));
    return FromKms(kind_, std::move(signature));
  }

 private:
  const SignatureKind kind_;
  Message message_;
  Kms& kms_;
};

// The same with a pair of a session.
class SessionPairSigning final : public SignOperation {
 public:
  SessionPairSigning(SignatureKind kind, Message message, OSSL_LIB_CTX* library)
      : kind_(std::move(kind)),
        message_(std::move(message)),
        library_(library) {}

  std::size_t size() const override { return SizeOf(kind_); }
  Status Update(base::ByteView part) override { return message_.Update(part); }

  Answer<base::Bytes> Finish() override {
    ASSIGN_OR_FAIL(const base::WipingBytes input, message_.Finish());
    return SignLocally(kind_, input, library_);
  }

 private:
  const SignatureKind kind_;
  Message message_;
  OSSL_LIB_CTX* const library_;
};

// Verifies signatures with a public key.
class PublicKeyVerifying final : public VerifyOperation {
 public:
  PublicKeyVerifying(SignatureKind kind, Message message, OSSL_LIB_CTX* library)
      : kind_(std::move(kind)),
        message_(std::move(message)),
        library_(library) {}

  Status Update(base::ByteView part) override { return message_.Update(part); }

  Status Finish(base::ByteView signature) override {
    ASSIGN_OR_FAIL(const base::WipingBytes input, message_.Finish());
    return VerifyLocally(kind_, input, signature, library_);
  }

 private:
  const SignatureKind kind_;
  Message message_;
  OSSL_LIB_CTX* const library_;
};

// Has the KMS verify them.
class KmsVerifying final : public VerifyOperation {
 public:
  KmsVerifying(SignatureKind kind, Message message, Kms& kms)
      : kind_(std::move(kind)), message_(std::move(message)), kms_(kms) {}

  Status Update(base::ByteView part) override { return message_.Update(part); }

  Status Finish(base::ByteView signature) override {
    if (signature.size() != SizeOf(kind_)) {
      return Failure(CKR_SIGNATURE_LEN_RANGE);
    }
    ASSIGN_OR_FAIL(const base::WipingBytes input, message_.Finish());
    ASSIGN_OR_FAIL(Json request, RequestAbout(kind_, input));
    const base::Bytes form = SignatureForKms(kind_, signature);
    if (form.empty()) {
      return Failure(CKR_SIGNATURE_INVALID);
    }
    request["Signature"] = Base64Json(form);
    ASSIGN_OR_FAIL(const Json reply, kms_.Call("Verify", request));
    return CheckSaysTrue(reply, "SignatureValid");
  }

 private:
  const SignatureKind kind_;
  Message message_;
  Kms& kms_;
};

// What GenerateMac and VerifyMac have in common.
Answer<Json> MacRequest(const SignatureKind& kind, Message& message) {
  ASSIGN_OR_FAIL(const base::WipingBytes input, message.Finish());
  if (input.empty()) {
    return Failure(CKR_DATA_LEN_RANGE, "KMS makes no MAC of an empty message");
  }
  return Json{{"KeyId", KeyIdOf(*kind.key)},
              {"Message", Base64Json(input)},
              {"MacAlgorithm",
               base::WipingString("HMAC_" + std::string(kind.hash->kms))}};
}

class MacMaking final : public SignOperation {
 public:
  MacMaking(SignatureKind kind, Message message, Kms& kms)
      : kind_(std::move(kind)), message_(std::move(message)), kms_(kms) {}

  std::size_t size() const override { return SizeOf(kind_); }
  Status Update(base::ByteView part) override { return message_.Update(part); }

  Answer<base::Bytes> Finish() override {
    ASSIGN_OR_FAIL(const Json request, MacRequest(kind_, message_));
    ASSIGN_OR_FAIL(const Json reply, kms_.Call("GenerateMac", request));
    ASSIGN_OR_FAIL(base::Bytes mac, BytesMember(reply, "Mac"));
    return FromKms(kind_, std::move(mac));
  }

 private:
  const SignatureKind kind_;
  Message message_;
  Kms& kms_;
};

class MacVerifying final : public VerifyOperation {
 public:
  MacVerifying(SignatureKind kind, Message message, Kms& kms)
      : kind_(std::move(kind)), message_(std::move(message)), kms_(kms) {}

  Status Update(base::ByteView part) override { return message_.Update(part); }

  Status Finish(base::ByteView mac) override {
    if (mac.size() != SizeOf(kind_)) {
      return Failure(CKR_SIGNATURE_LEN_RANGE);
    }
    ASSIGN_OR_FAIL(Json request, MacRequest(kind_, message_));
    request["Mac"] = Base64Json(mac);
    ASSIGN_OR_FAIL(const Json reply, kms_.Call("VerifyMac", request));
    return CheckSaysTrue(reply, "MacValid");
  }

 private:
  const SignatureKind kind_;
  Message message_;
  Kms& kms_;
};

bool IsMac(const SignatureKind& kind) {
  return kind.mechanism->scheme == Scheme::kHmac;
}

// The KMS hashes what it makes a MAC of.
Answer<Message> MessageOf(const SignatureKind& kind, Place place,
                          OSSL_LIB_CTX* library) {
  return Message::Create(
      IsMac(kind) ? nullptr : kind.mechanism->hash, library,
      place == Place::kLocal && !IsMac(kind) ? kMaxOwnMessage : kMaxKmsMessage);
}

}  // namespace

Answer<std::unique_ptr<SignOperation>> StartSigning(
    const Object& object, const CK_MECHANISM& mechanism, Kms& kms,
    OSSL_LIB_CTX* library) {
  if (object.secret != nullptr) {
    return StartSecretSigning(object, mechanism, library);
  }
  ASSIGN_OR_FAIL(SignatureKind kind,
                 ChooseSignature(object, mechanism, CKA_SIGN));
  const Place place = object.of_session ? Place::kLocal : Place::kRemote;
  ASSIGN_OR_FAIL(Message message, MessageOf(kind, place, library));
  std::unique_ptr<SignOperation> operation;
  if (object.of_session) {
    operation = std::make_unique<SessionPairSigning>(
        std::move(kind), std::move(message), library);
  } else if (IsMac(kind)) {
    operation =
        std::make_unique<MacMaking>(std::move(kind), std::move(message), kms);
  } else {
    operation = std::make_unique<KeyPairSigning>(std::move(kind),
                                                 std::move(message), kms);
  }
  return operation;
}

Answer<std::unique_ptr<VerifyOperation>> StartVerifying(
    const Object& object, const CK_MECHANISM& mechanism, Kms& kms,
    OSSL_LIB_CTX* library, Place verify) {
  if (object.secret != nullptr) {
    return StartSecretVerifying(object, mechanism, library);
  }
  ASSIGN_OR_FAIL(SignatureKind kind,
                 ChooseSignature(object, mechanism, CKA_VERIFY));
  const Place place = object.of_session ? Place::kLocal : verify;
  ASSIGN_OR_FAIL(Message message, MessageOf(kind, place, library));
  std::unique_ptr<VerifyOperation> operation;
  if (IsMac(kind)) {
    operation = std::make_unique<MacVerifying>(std::move(kind),
                                               std::move(message), kms);
  } else if (place == Place::kRemote) {
    operation = std::make_unique<KmsVerifying>(std::move(kind),
                                               std::move(message), kms);
  } else {
    operation = std::make_unique<PublicKeyVerifying>(
        std::move(kind), std::move(message), library);
  }
  return operation;
}

}  // namespace pkcs11::module
