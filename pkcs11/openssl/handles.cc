// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/handles.h"

#include <openssl/core_names.h>
#include <openssl/core_object.h>

#include <array>
#include <string>
#include <utility>

namespace pkcs11::openssl {
namespace {

// What an error of the key's loading is about.
Reason ReasonOf(const base::Error& error) {
  return error.code == base::ErrorCode::kInvalidArgument
             ? Reason::kConfiguration
             : Reason::kKms;
}

}  // namespace

int GiveKey(const ContextOwner& context, const kms::client::KeyUri& uri,
            Half half, Raiser raise, OSSL_CALLBACK* callback, void* argument) {
  const auto key = LoadKey(context, uri);
  if (!key.has_value()) {
    return (context->core().*raise)(ReasonOf(key.error()), key.error().message);
  }
  auto handle = std::make_unique<KeyHandle>(
      KeyHandle{context, (*key)->type, half == Half::kPrivate ? *key : nullptr,
                Share((*key)->public_key)});
  // Our key management takes what the pointer points to, and leaves null.
  KeyHandle* reference = handle.release();
  int type = OSSL_OBJECT_PKEY;
  std::string name = (*key)->type;
  const std::array<OSSL_PARAM, 4> object = {
      OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
      OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, name.data(),
                                       name.size()),
      OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE,
                                        static_cast<void*>(&reference),
                                        kReferenceBytes),
      OSSL_PARAM_construct_end()};
  const int done = CallBack(callback, object.data(), argument);
  LetGo(std::shared_ptr<KeyHandle>(reference));
  return done;
}

}  // namespace pkcs11::openssl
