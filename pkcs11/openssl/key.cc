// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/key.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "pkcs11/public_key.h"

namespace pkcs11::openssl {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

struct TypeRow {
  CK_KEY_TYPE type;
  const char* name;
};
constexpr std::array kTypes = {
    TypeRow{CKK_EC, "EC"},
    TypeRow{CKK_EC_EDWARDS, "ED25519"},
    TypeRow{CKK_RSA, "RSA"},
};
constexpr const char* kRsaPss = "RSA-PSS";

// The same RSA key as one that makes PSS signatures only.
PkeyOwner AsPss(const EVP_PKEY* key, OSSL_LIB_CTX* library) {
  OSSL_PARAM* raw = nullptr;
  EVP_PKEY* made = nullptr;
  const PkeyContext context = MakerOf(kRsaPss, library);
  if (context == nullptr ||
      EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &raw) != 1) {
    return nullptr;
  }
  const ParamsOwner params(raw);
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return nullptr;
  }
  return PkeyOwner(made);
}

base::Status SetType(const kms::client::KeyUri& uri, KmsKey& key) {
  const auto* const row =
      std::ranges::find(kTypes, key.spec->type, &TypeRow::type);
  if (row == kTypes.end()) {
    return Error{ErrorCode::kUnsupportedOperation, key.arn + " is no key pair"};
  }
  key.type = row->name;
  if (!uri.type.empty()) {
    key.type = kRsaPss;
    key.public_key = key.spec->type == CKK_RSA
                         ? AsPss(key.public_key.get(), key.context->library())
                         : nullptr;
  }
  if (key.public_key == nullptr ||
      EVP_PKEY_is_a(key.public_key.get(), key.type) != 1) {
    return Error{ErrorCode::kUnsupportedOperation,
                 key.arn + " is of the spec " + std::string(key.spec->name) +
                     ", which is not of the type " + key.type};
  }
  return {};
}

struct UsageText {
  Usage usage;
  const char* text;
};
constexpr std::array kUsageTexts = {
    UsageText{Usage::kSignVerify, "signing"},
    UsageText{Usage::kEncryptDecrypt, "encryption and decryption"},
    UsageText{Usage::kKeyAgreement, "key agreement"},
};

}  // namespace

base::Result<base::Bytes> KmsKey::Sign(base::ByteView message, bool is_digest,
                                       const std::string& algorithm) const {
  const Json request = {
      {"KeyId", base::WipingString(arn)},
      {"Message", Base64Json(message)},
      {"MessageType", is_digest ? "DIGEST" : "RAW"},
      {"SigningAlgorithm", base::WipingString(algorithm)},
  };
  ASSIGN_OR_RETURN(const Json reply, kms->Call("Sign", request));
  return BytesMember(reply, "Signature");
}

base::Result<base::WipingBytes> KmsKey::Decrypt(
    base::ByteView ciphertext, const std::string& algorithm) const {
  const Json request = {
      {"KeyId", base::WipingString(arn)},
      {"CiphertextBlob", Base64Json(ciphertext)},
      {"EncryptionAlgorithm", base::WipingString(algorithm)},
  };
  ASSIGN_OR_RETURN(const Json reply, kms->Call("Decrypt", request));
  return SecretMember(reply, "Plaintext");
}

base::Result<base::WipingBytes> KmsKey::Agree(base::ByteView peer_spki) const {
  const Json request = {
      {"KeyId", base::WipingString(arn)},
      {"KeyAgreementAlgorithm", "ECDH"},
      {"PublicKey", Base64Json(peer_spki)},
  };
  ASSIGN_OR_RETURN(const Json reply, kms->Call("DeriveSharedSecret", request));
  return SecretMember(reply, "SharedSecret");
}

base::Result<std::shared_ptr<const KmsKey>> LoadKey(
    const ContextOwner& context, const kms::client::KeyUri& uri) {
  ASSIGN_OR_RETURN(std::shared_ptr<Kms> kms, context->KmsOf(uri));
  ASSIGN_OR_RETURN(
      const Json reply,
      kms->Call("GetPublicKey", {{"KeyId", base::WipingString(uri.key)}}));
  context->Remember(uri, kms);
  const std::string spec(TextMember(reply, "KeySpec").value_or(""));
  const auto usage = ParseUsage(TextMember(reply, "KeyUsage").value_or(""));
  auto key = std::make_shared<KmsKey>();
  key->context = context;
  key->kms = std::move(kms);
  key->arn = TextMember(reply, "KeyId").value_or("");
  key->spec = FindKeySpec(spec);
  if (key->arn.empty() || key->spec == nullptr || !usage.has_value()) {
    return Error{ErrorCode::kUnsupportedOperation,
                 "the key " + uri.key +
                     " is of a spec or usage that is not "
                     "known here: " +
                     spec};
  }
  key->usage = *usage;
  ASSIGN_OR_RETURN(const base::Bytes spki, BytesMember(reply, "PublicKey"));
  const QuietQueue quiet;
  key->public_key = DecodeSpki(spki, context->library());
  if (key->public_key == nullptr) {
    return Error{ErrorCode::kCorrupt,
                 "the server's public key of " + key->arn + " is none"};
  }
  RETURN_IF_ERROR(SetType(uri, *key));
  return std::shared_ptr<const KmsKey>(std::move(key));
}

bool MayUse(const KeyHandle& key, Usage usage) {
  const Core& core = key.context->core();
  if (key.kms_key == nullptr) {
    core.Raise(Reason::kArguments, "this needs a private key of the KMS");
    return false;
  }
  if (key.kms_key->usage == usage) {
    return true;
  }
  const auto* const wanted =
      std::ranges::find(kUsageTexts, usage, &UsageText::usage);
  core.Raise(Reason::kUsage,
             key.kms_key->arn + " is for " +
                 std::string(UsageName(key.kms_key->usage)) + ": " +
                 (wanted == kUsageTexts.end() ? "this" : wanted->text) +
                 " takes a key that was created with KeyUsage " +
                 std::string(UsageName(usage)));
  return false;
}

PkeyOwner Share(const PkeyOwner& key) {
  if (key != nullptr) {
    EVP_PKEY_up_ref(key.get());
  }
  return PkeyOwner(key.get());
}

}  // namespace pkcs11::openssl
