// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/soft/key_pair.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "pkcs11/module/key_template.h"
#include "pkcs11/module/soft/public_key.h"
#include "pkcs11/public_key.h"

namespace pkcs11::module {
namespace {

// Not EVP_PKEY_Q_keygen(): see MakerOf().
PkeyOwner Generate(const KeySpec& spec, OSSL_LIB_CTX* library) {
  std::array<OSSL_PARAM, 2> parameters = {OSSL_PARAM_construct_end(),
                                          OSSL_PARAM_construct_end()};
  std::string group = spec.curve == nullptr ? "" : spec.curve->group;
  std::size_t bits = spec.bits;
  std::string type = group;
  if (spec.type == CKK_RSA) {
    type = "RSA";
    parameters[0] =
        OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits);
  } else if (spec.type == CKK_EC) {
    type = "EC";
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                     group.data(), 0);
  }
  const PkeyContext context = MakerOf(type, library);
  EVP_PKEY* key = nullptr;
  if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_params(context.get(), parameters.data()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1) {
    return nullptr;
  }
  return PkeyOwner(key);
}

Object PublicObject(std::shared_ptr<const Key> key, const KeyOrigin& origin,
                    const AttributeSet& wanted) {
  Object object;
  object.object_class = CKO_PUBLIC_KEY;
  object.key = std::move(key);
  const KeySpec& spec = *object.key->spec;
  AddStorageAttributes(wanted, object);
  AddPublicParts(object);
  AddKeyAttributes(spec.type, origin, wanted, object);
  object.attributes.SetBool(CKA_TRUSTED, false);
  if (spec.type == CKK_RSA) {
    object.attributes.SetNumber(CKA_MODULUS_BITS, spec.bits);
  }
  if (const base::WipingBytes* const subject = wanted.Find(CKA_SUBJECT)) {
    object.attributes.Set(CKA_SUBJECT, *subject);
  }
  return object;
}

Object PrivateObject(std::shared_ptr<const Key> key, const KeyOrigin& origin,
                     AttributeSet wanted) {
  Object object;
  object.object_class = CKO_PRIVATE_KEY;
  object.key = std::move(key);
  wanted.SetBool(CKA_SENSITIVE, true);
  wanted.SetBool(CKA_EXTRACTABLE, false);
  AddStorageAttributes(wanted, object);
  AddPublicParts(object);
  AddKeyAttributes(object.key->spec->type, origin, wanted, object);
  AddSecrecyAttributes(origin, wanted, object);
  AddSecretParts(object);
  object.attributes.SetBool(CKA_ALWAYS_AUTHENTICATE, false);
  if (const base::WipingBytes* const subject = wanted.Find(CKA_SUBJECT)) {
    object.attributes.Set(CKA_SUBJECT, *subject);
  }
  return object;
}

Answer<PkeyOwner> KeyOfTemplate(const AttributeSet& wanted, CK_KEY_TYPE type,
                                OSSL_LIB_CTX* library) {
  if (type == CKK_RSA) {
    const base::WipingBytes* const modulus = wanted.Find(CKA_MODULUS);
    const base::WipingBytes* const exponent = wanted.Find(CKA_PUBLIC_EXPONENT);
    if (modulus == nullptr || exponent == nullptr) {
      return Failure(CKR_TEMPLATE_INCOMPLETE);
    }
    return RsaPublicKey(*modulus, *exponent, library);
  }
  ASSIGN_OR_FAIL(const KeySpec* spec, CurveSpec(type, wanted));
  const base::WipingBytes* const point = wanted.Find(CKA_EC_POINT);
  if (point == nullptr) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  return PublicKeyOfPoint(*spec->curve, *point, library);
}

Answer<const KeySpec*> SpecOf(const EVP_PKEY* key, CK_KEY_TYPE type,
                              const AttributeSet& wanted) {
  if (type != CKK_RSA) {
    return CurveSpec(type, wanted);
  }
  for (const KeySpec& spec : KeySpecs()) {
    if (spec.type == CKK_RSA &&
        spec.bits == static_cast<CK_ULONG>(EVP_PKEY_get_bits(key))) {
      return &spec;
    }
  }
  return Failure(CKR_KEY_SIZE_RANGE);
}

// The public parts of `pkey`, of which the key takes care.
Answer<Key> KeyOf(const KeySpec& spec, const EVP_PKEY* pkey,
                  OSSL_LIB_CTX* library) {
  Key key;
  key.spec = &spec;
  ASSIGN_OR_FAIL(base::Bytes spki, SpkiOf(pkey));
  RETURN_IF_FAILED(SetPublicKey(std::move(spki), library, key));
  return key;
}

}  // namespace

Answer<ObjectPair> GeneratePair(CK_MECHANISM_TYPE mechanism,
                                const AttributeSet& of_public,
                                const AttributeSet& of_private,
                                OSSL_LIB_CTX* library) {
  ASSIGN_OR_FAIL(const KeySpec* spec,
                 ReadPairSpec(mechanism, of_public, of_private));
  RETURN_IF_FAILED(CheckNewObject(CKO_PUBLIC_KEY, of_public));
  RETURN_IF_FAILED(CheckNewObject(CKO_PRIVATE_KEY, of_private));
  const QuietQueue quiet;
  PkeyOwner pkey = Generate(*spec, library);
  if (pkey == nullptr) {
    return Failure(CKR_FUNCTION_FAILED, "OpenSSL cannot make a key pair");
  }
  ASSIGN_OR_FAIL(Key key, KeyOf(*spec, pkey.get(), library));
  key.private_key = std::move(pkey);
  const auto shared = std::make_shared<const Key>(std::move(key));
  const KeyOrigin origin = {mechanism, true, true, true};
  return ObjectPair{PublicObject(shared, origin, of_public),
                    PrivateObject(shared, origin, of_private)};
}

Answer<Object> ImportPublicKey(const AttributeSet& wanted,
                               OSSL_LIB_CTX* library) {
  RETURN_IF_FAILED(CheckNewObject(CKO_PUBLIC_KEY, wanted));
  const std::optional<CK_ULONG> type = wanted.Number(CKA_KEY_TYPE);
  if (!type.has_value()) {
    return Failure(CKR_TEMPLATE_INCOMPLETE);
  }
  if (*type != CKK_RSA && *type != CKK_EC && *type != CKK_EC_EDWARDS) {
    return Failure(CKR_ATTRIBUTE_VALUE_INVALID);
  }
  ASSIGN_OR_FAIL(const PkeyOwner pkey, KeyOfTemplate(wanted, *type, library));
  ASSIGN_OR_FAIL(const KeySpec* spec, SpecOf(pkey.get(), *type, wanted));
  ASSIGN_OR_FAIL(Key key, KeyOf(*spec, pkey.get(), library));
  return PublicObject(std::make_shared<const Key>(std::move(key)), KeyOrigin{},
                      wanted);
}

}  // namespace pkcs11::module
