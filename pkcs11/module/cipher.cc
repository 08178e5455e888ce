// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/cipher.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "pkcs11/module/key_use.h"
#include "pkcs11/module/soft/aes_cipher.h"
#include "pkcs11/module/soft/oaep.h"

namespace pkcs11::module {
namespace {

using base::Json;

constexpr std::size_t kMaxPlaintext = 4096;   // Of KMS's Encrypt.
constexpr std::size_t kMaxCiphertext = 6144;  // Of KMS's Decrypt.
// More than any KMS adds to a plaintext.
constexpr std::size_t kMaxOverhead = 1024;
constexpr std::size_t kMaxContextBytes = 16U << 10;

// How to encrypt or decrypt with one key.
struct CipherKind {
  std::shared_ptr<const Key> key;
  const Hash* hash = nullptr;  // Of OAEP; null: KMS's envelope.
  Json context;                // Of the envelope; null: none.
};

Answer<CipherKind> ChooseCipher(const Object& object,
                                const CK_MECHANISM& mechanism,
                                const CipherFlags& flags) {
  ASSIGN_OR_FAIL(const Mechanism* row,
                 CheckKeyMayUse(object, mechanism, flags.flag, flags.use));
  CipherKind kind = {object.key, nullptr, Json()};
  if (row->scheme == Scheme::kOaep) {
    ASSIGN_OR_FAIL(kind.hash, OaepHash(mechanism));
  } else {
    ASSIGN_OR_FAIL(
        kind.context,
        ReadEncryptionContext(mechanism.pParameter, mechanism.ulParameterLen));
  }
  return kind;
}

std::size_t ModulusBytes(const CipherKind& kind) {
  return kind.key->spec->bits / 8;
}

Json RequestOf(const CipherKind& kind) {
  Json request = {{"KeyId", base::WipingString(kind.key->arn)}};
  if (kind.hash != nullptr) {
    request["EncryptionAlgorithm"] =
        base::WipingString("RSAES_OAEP_" + std::string(kind.hash->kms));
  }
  if (!kind.context.is_null()) {
    request["EncryptionContext"] = kind.context;
  }
  return request;
}

// Asks the KMS. Both operations have one text in and one out.
Answer<base::WipingBytes> AskKms(Kms& kms, const CipherKind& kind,
                                 const char* operation, const char* in,
                                 const char* out, base::ByteView text) {
  if (text.empty()) {
    return Failure(in == std::string_view("Plaintext")
                       ? CKR_DATA_LEN_RANGE
                       : CKR_ENCRYPTED_DATA_LEN_RANGE);
  }
  Json request = RequestOf(kind);
  request[in] = Base64Json(text);
  ASSIGN_OR_FAIL(const Json reply, kms.Call(operation, request));
  ASSIGN_OR_FAIL(base::WipingBytes bytes, SecretMember(reply, out));
  return bytes;
}

class OaepEncrypting final : public CipherOperation {
 public:
  OaepEncrypting(CipherKind kind, OSSL_LIB_CTX* library)
      : kind_(std::move(kind)),
        library_(library),
        text_(LargestOaepMessage(*kind_.key, *kind_.hash), CKR_DATA_LEN_RANGE) {
  }

  std::size_t LargestOutput(std::size_t) const override {
    return ModulusBytes(kind_);
  }
  Answer<base::WipingBytes> Update(base::ByteView part) override {
    return text_.Add(part);
  }

  Answer<base::WipingBytes> Finish() override {
    return OaepEncrypt(*kind_.key, *kind_.hash, text_.bytes(), library_);
  }

 private:
  const CipherKind kind_;
  OSSL_LIB_CTX* const library_;
  CollectedText text_;
};

// With a pair of a session.
class OaepDecrypting final : public CipherOperation {
 public:
  OaepDecrypting(CipherKind kind, OSSL_LIB_CTX* library)
      : kind_(std::move(kind)),
        library_(library),
        text_(ModulusBytes(kind_), CKR_ENCRYPTED_DATA_LEN_RANGE) {}

  std::size_t LargestOutput(std::size_t) const override {
    return LargestOaepMessage(*kind_.key, *kind_.hash);
  }
  Answer<base::WipingBytes> Update(base::ByteView part) override {
    return text_.Add(part);
  }

  Answer<base::WipingBytes> Finish() override {
    return OaepDecrypt(*kind_.key, *kind_.hash, text_.bytes(), library_);
  }

 private:
  const CipherKind kind_;
  OSSL_LIB_CTX* const library_;
  CollectedText text_;
};

class EnvelopeEncrypting final : public CipherOperation {
 public:
  EnvelopeEncrypting(CipherKind kind, Kms& kms)
      : kind_(std::move(kind)),
        kms_(kms),
        text_(kMaxPlaintext, CKR_DATA_LEN_RANGE) {}

  std::size_t LargestOutput(std::size_t more) const override {
    return text_.bytes().size() + more + kMaxOverhead;
  }
  std::size_t RoomToBegin(std::size_t more) const override {
    return LargestOutput(more);
  }
  Answer<base::WipingBytes> Update(base::ByteView part) override {
    return text_.Add(part);
  }

  Answer<base::WipingBytes> Finish() override {
    return AskKms(kms_, kind_, "Encrypt", "Plaintext", "CiphertextBlob",
                  text_.bytes());
  }

 private:
  const CipherKind kind_;
  Kms& kms_;
  CollectedText text_;
};

// Of OAEP and of envelopes.
class KmsDecrypting final : public CipherOperation {
 public:
  KmsDecrypting(CipherKind kind, Kms& kms)
      : kind_(std::move(kind)),
        kms_(kms),
        text_(kMaxCiphertext, CKR_ENCRYPTED_DATA_LEN_RANGE) {}

  std::size_t LargestOutput(std::size_t more) const override {
    return kind_.hash != nullptr ? LargestOaepMessage(*kind_.key, *kind_.hash)
                                 : text_.bytes().size() + more;
  }
  Answer<base::WipingBytes> Update(base::ByteView part) override {
    return text_.Add(part);
  }

  Answer<base::WipingBytes> Finish() override {
    if (kind_.hash != nullptr && text_.bytes().size() != ModulusBytes(kind_)) {
      return Failure(CKR_ENCRYPTED_DATA_LEN_RANGE);
    }
    return AskKms(kms_, kind_, "Decrypt", "CiphertextBlob", "Plaintext",
                  text_.bytes());
  }

 private:
  const CipherKind kind_;
  Kms& kms_;
  CollectedText text_;
};

}  // namespace

Answer<Json> ReadEncryptionContext(const void* text, CK_ULONG size) {
  if (size == 0) {
    return Json();
  }
  if (text == nullptr || size > kMaxContextBytes) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  base::Result<Json> context =
      base::ParseJson({static_cast<const char*>(text), size});
  if (!context.has_value() || !context->is_object() ||
      !std::ranges::all_of(*context, &Json::is_string)) {
    return Failure(CKR_MECHANISM_PARAM_INVALID);
  }
  return *std::move(context);
}

Answer<std::unique_ptr<CipherOperation>> StartEncrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    Kms& kms, OSSL_LIB_CTX* library) {
  if (object.secret != nullptr) {
    return StartSecretEncrypting(object, mechanism, use, library);
  }
  const CipherFlags flags = FlagsOfEncryption(use);
  ASSIGN_OR_FAIL(CipherKind kind, ChooseCipher(object, mechanism, flags));
  std::unique_ptr<CipherOperation> operation;
  if (kind.hash != nullptr) {
    operation = std::make_unique<OaepEncrypting>(std::move(kind), library);
  } else {
    operation = std::make_unique<EnvelopeEncrypting>(std::move(kind), kms);
  }
  return operation;
}

Answer<std::unique_ptr<CipherOperation>> StartDecrypting(
    const Object& object, const CK_MECHANISM& mechanism, CipherUse use,
    Kms& kms, OSSL_LIB_CTX* library) {
  if (object.secret != nullptr) {
    return StartSecretDecrypting(object, mechanism, use, library);
  }
  const CipherFlags flags = FlagsOfDecryption(use);
  ASSIGN_OR_FAIL(CipherKind kind, ChooseCipher(object, mechanism, flags));
  std::unique_ptr<CipherOperation> operation;
  if (object.of_session) {
    operation = std::make_unique<OaepDecrypting>(std::move(kind), library);
  } else {
    operation = std::make_unique<KmsDecrypting>(std::move(kind), kms);
  }
  return operation;
}

}  // namespace pkcs11::module
