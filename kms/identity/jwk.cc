// SPDX-License-Identifier: Apache-2.0
#include "kms/identity/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json.h"
#include "kms/identity/base64url.h"
#include "kms/identity/jwk_algorithms.h"

namespace kms::identity {
namespace {

using base::Bytes;
using base::Error;
using base::ErrorCode;
using base::Json;

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* p) const noexcept {
    kFree(p);
  }
};
using Number = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;

Error Bad(std::string reason) {
  return {ErrorCode::kInvalidArgument, std::move(reason)};
}

const Json* Find(const Json& object, std::string_view name) {
  const auto found = object.find(base::WipingString(name));
  return found == object.end() ? nullptr : &*found;
}

// A member that must be a text; `otherwise`, if given, stands for an absent
// one.
base::Result<std::string> Text(
    const Json& jwk, std::string_view name,
    std::optional<std::string_view> otherwise = std::nullopt) {
  const Json* const member = Find(jwk, name);
  if (member == nullptr && otherwise) {
    return std::string(*otherwise);
  }
  if (member == nullptr || !member->is_string()) {
    return Bad("its \"" + std::string(name) + "\" is " +
               (member == nullptr ? "missing" : "not a text"));
  }
  return std::string(base::TextOf(*member));
}

base::Result<Bytes> Octets(const Json& jwk, std::string_view name) {
  ASSIGN_OR_RETURN(const std::string text, Text(jwk, name));
  auto bytes = Base64UrlDecode(text);
  if (!bytes || bytes->empty()) {
    return Bad("its \"" + std::string(name) +
               "\" is not base64url without padding");
  }
  return bytes;
}

// RFC 7518 section 6: the private members of every key type that has any.
base::Status RefusePrivateMembers(const Json& jwk) {
  for (const std::string_view name :
       {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}) {
    if (Find(jwk, name) != nullptr) {
      return Bad("it holds the private member \"" + std::string(name) +
                 "\", but this file is public: put the public key there, and "
                 "replace this one, which others may have read");
    }
  }
  return {};
}

// RFC 7517 sections 4.2 and 4.3: what a key may be used for, if it says so.
base::Result<bool> IsForVerification(const Json& jwk) {
  ASSIGN_OR_RETURN(const std::string use, Text(jwk, "use", "sig"));
  const Json* const operations = Find(jwk, "key_ops");
  if (operations == nullptr) {
    return use == "sig";
  }
  if (!operations->is_array()) {
    return Bad("its \"key_ops\" is not a list");
  }
  bool verifies = false;
  for (const Json& operation : *operations) {
    verifies = verifies ||
               (operation.is_string() && base::TextOf(operation) == "verify");
  }
  return use == "sig" && verifies;
}

std::optional<KeyType> TypeOf(std::string_view kty, std::string_view crv) {
  if (kty == "RSA") {
    return KeyType::kRsa;
  }
  if (kty == "EC" && crv == "P-256") {
    return KeyType::kP256;
  }
  if (kty == "EC" && crv == "P-384") {
    return KeyType::kP384;
  }
  return std::nullopt;
}

// nullptr unless OpenSSL finds the key sound; the caller owns it.
EVP_PKEY* PublicKeyOf(const char* type, const Builder& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const bool made = params != nullptr && context != nullptr &&
                    EVP_PKEY_fromdata_init(context.get()) == 1 &&
                    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                                      params.get()) == 1;
  const KeyContext check(made ? EVP_PKEY_CTX_new(key, nullptr) : nullptr);
  const bool sound =
      check != nullptr && EVP_PKEY_public_check(check.get()) == 1;
  ERR_clear_error();
  if (!sound) {
    EVP_PKEY_free(key);
    return nullptr;
  }
  return key;
}

Number NumberOf(const Bytes& bytes) {
  return Number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

base::Result<EVP_PKEY*> RsaKey(const Json& jwk) {
  ASSIGN_OR_RETURN(const Bytes n, Octets(jwk, "n"));
  ASSIGN_OR_RETURN(const Bytes e, Octets(jwk, "e"));
  const Number modulus = NumberOf(n);
  const Number exponent = NumberOf(e);
  const int bits = BN_num_bits(modulus.get());
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return Bad("its RSA modulus has " + std::to_string(bits) + " bits, not " +
               std::to_string(kLeastRsaBits) + " to " +
               std::to_string(kMostRsaBits));
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  const bool pushed =
      builder != nullptr &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N,
                             modulus.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E,
                             exponent.get()) == 1;
  // One is odd, and leaves every message as it is.
  EVP_PKEY* const key = pushed && BN_num_bits(exponent.get()) > 1
                            ? PublicKeyOf("RSA", builder)
                            : nullptr;
  if (key == nullptr) {
    return Bad("its \"n\" and \"e\" are not an RSA public key");
  }
  return key;
}

base::Result<EVP_PKEY*> EcKey(const Json& jwk, const char* curve,
                              std::size_t size) {
  ASSIGN_OR_RETURN(const Bytes x, Octets(jwk, "x"));
  ASSIGN_OR_RETURN(const Bytes y, Octets(jwk, "y"));
  // RFC 7518 section 6.2.1.2: leading zeros are kept.
  if (x.size() != size || y.size() != size) {
    return Bad("its \"x\" and \"y\" must have " + std::to_string(size) +
               " bytes each");
  }
  Bytes point = {POINT_CONVERSION_UNCOMPRESSED};
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  const Builder builder(OSSL_PARAM_BLD_new());
  const bool pushed =
      builder != nullptr &&
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      curve, 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       point.data(), point.size()) == 1;
  EVP_PKEY* const key = pushed ? PublicKeyOf("EC", builder) : nullptr;
  if (key == nullptr) {
    return Bad(std::string("its \"x\" and \"y\" are not a point of ") + curve);
  }
  return key;
}

base::Result<EVP_PKEY*> MakeKey(const Json& jwk, KeyType type) {
  switch (type) {
    case KeyType::kRsa:
      return RsaKey(jwk);
    case KeyType::kP256:
      return EcKey(jwk, "P-256", 32);
    case KeyType::kP384:
      return EcKey(jwk, "P-384", 48);
  }
  return Bad("its type is not known");
}

}  // namespace

// Reads the keys of one set.
class KeySetReader {
 public:
  base::Status Add(const Json& jwk) {
    RETURN_IF_ERROR(RefusePrivateMembers(jwk));
    ASSIGN_OR_RETURN(const std::string kty, Text(jwk, "kty"));
    ASSIGN_OR_RETURN(
        const std::string crv,
        Text(jwk, "crv", kty == "EC" ? std::nullopt : std::optional("")));
    ASSIGN_OR_RETURN(const bool is_for_verification, IsForVerification(jwk));
    ASSIGN_OR_RETURN(std::string algorithm, Text(jwk, "alg", ""));
    const std::optional<KeyType> type = TypeOf(kty, crv);
    const SignatureAlgorithm* const row = FindAlgorithm(algorithm);
    if (!type || !is_for_verification || (!algorithm.empty() && !row)) {
      return {};  // Somebody else's business: encryption, other algorithms.
    }
    if (row != nullptr && row->key_type != *type) {
      return Bad("its \"alg\" does not fit its type");
    }
    ASSIGN_OR_RETURN(std::string id, Text(jwk, "kid"));
    RETURN_IF_ERROR(CheckId(id));
    ASSIGN_OR_RETURN(EVP_PKEY* const key, MakeKey(jwk, *type));
    keys_.push_back(VerificationKey(std::move(id), *type, std::move(algorithm),
                                    VerificationKey::Key(key)));
    return {};
  }

  std::vector<VerificationKey> Take() { return std::move(keys_); }

 private:
  base::Status CheckId(const std::string& id) const {
    if (id.empty()) {
      return Bad("its \"kid\" is empty");
    }
    for (const VerificationKey& key : keys_) {
      if (key.id() == id) {
        return Bad("its \"kid\" is that of a key before it");
      }
    }
    return {};
  }

  std::vector<VerificationKey> keys_;
};

base::Result<std::vector<VerificationKey>> ParseKeySet(std::string_view text) {
  const auto set = base::ParseJson(text);
  if (!set) {
    return Bad("the JWK Set is not JSON that can be read: " +
               set.error().message);
  }
  const Json* const keys = set->is_object() ? Find(*set, "keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) {
    return Bad(
        "it is not a JWK Set (RFC 7517): an object with a list \"keys\"");
  }
  KeySetReader reader;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    const Json& jwk = (*keys)[i];
    const base::Status status =
        jwk.is_object() ? reader.Add(jwk) : Bad("it is not an object");
    if (!status) {
      return Bad("key " + std::to_string(i + 1) +
                 " of the JWK Set: " + status.error().message);
    }
  }
  auto found = reader.Take();
  if (found.empty()) {
    return Bad(
        "the JWK Set has no key that verifies signatures: RSA, or EC on P-256 "
        "or P-384");
  }
  return found;
}

}  // namespace kms::identity
