// SPDX-License-Identifier: Apache-2.0
// STORE: keys by their URI. There is no OSSL_FUNC_store_export_object, on
// purpose: OpenSSL would first try to bring the key to the default provider
// with it, and go on with what has no private half.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/store.h>

#include <array>
#include <memory>
#include <utility>

#include "pkcs11/openssl/handles.h"
#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/shim.h"

namespace pkcs11::openssl {
namespace {

// An Opened is what an OSSL_STORE_CTX of ours points to. It has one key.
struct Opened {
  ContextOwner context;
  kms::client::KeyUri uri;
  int expected = 0;  // OSSL_STORE_INFO_...; 0: anything.
  bool asked = false;
  bool ended = false;
};

Opened* Open(void* store) { return static_cast<Opened*>(store); }

// Makes no call yet: who opens it may want something else than a key.
void* OpenUri(void* provider, const char* text) {
  const ContextOwner& context = ContextOf(provider);
  base::Result<kms::client::KeyUri> uri = kms::client::ParseKeyUri(text);
  if (!uri.has_value()) {
    context->core().Raise(Reason::kReference, uri.error().message);
    return nullptr;
  }
  return new Opened{context, *std::move(uri)};
}

const OSSL_PARAM* SettableParams(void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_int(OSSL_STORE_PARAM_EXPECT, nullptr), OSSL_PARAM_END});
  return params.data();
}

int SetParams(void* store, const OSSL_PARAM params[]) {
  const OSSL_PARAM* const expected =
      OSSL_PARAM_locate_const(params, OSSL_STORE_PARAM_EXPECT);
  return expected == nullptr
             ? 1
             : OSSL_PARAM_get_int(expected, &Open(store)->expected);
}

int GiveExpected(const Opened& opened, OSSL_CALLBACK* callback,
                 void* argument) {
  switch (opened.expected) {
    case 0:
    case OSSL_STORE_INFO_PKEY:
      return GiveKey(opened.context, opened.uri, Half::kPrivate, &Core::Raise,
                     callback, argument);
    case OSSL_STORE_INFO_PUBKEY:
      return GiveKey(opened.context, opened.uri, Half::kPublic, &Core::Raise,
                     callback, argument);
    default:
      return 1;  // Certificates and the like are in files.
  }
}

// A failure is not the end: OpenSSL's programs take a store that is at its end
// for one that had nothing. They load once more and come to the end then.
int Load(void* store, OSSL_CALLBACK* callback, void* argument,
         OSSL_PASSPHRASE_CALLBACK*, void*) {
  Opened& opened = *Open(store);
  if (std::exchange(opened.asked, true)) {
    opened.ended = true;
    return 1;
  }
  const int done = GiveExpected(opened, callback, argument);
  opened.ended = done == 1;
  return done;
}

int Eof(void* store) {
  const Opened& opened = *Open(store);
  const bool for_keys = opened.expected == 0 ||
                        opened.expected == OSSL_STORE_INFO_PKEY ||
                        opened.expected == OSSL_STORE_INFO_PUBKEY;
  return opened.ended || !for_keys ? 1 : 0;
}

int Close(void* store) {
  LetGo(std::shared_ptr<Opened>(Open(store)));
  return 1;
}

const OSSL_DISPATCH* Functions() {
  static const std::array rows = {
      Row<OSSL_FUNC_store_open_fn, OpenUri>(OSSL_FUNC_STORE_OPEN),
      Row<OSSL_FUNC_store_settable_ctx_params_fn, SettableParams>(
          OSSL_FUNC_STORE_SETTABLE_CTX_PARAMS),
      Row<OSSL_FUNC_store_set_ctx_params_fn, SetParams>(
          OSSL_FUNC_STORE_SET_CTX_PARAMS),
      Row<OSSL_FUNC_store_load_fn, Load>(OSSL_FUNC_STORE_LOAD),
      Row<OSSL_FUNC_store_eof_fn, Eof>(OSSL_FUNC_STORE_EOF),
      Row<OSSL_FUNC_store_close_fn, Close>(OSSL_FUNC_STORE_CLOSE),
      kEndOfRows};
  return rows.data();
}

}  // namespace

const OSSL_ALGORITHM* Stores() {
  static const std::array algorithms = {
      OSSL_ALGORITHM{kms::client::kKeyUriScheme.data(), kProperties,
                     Functions(), "keys of the KMS by their URI"},
      OSSL_ALGORITHM{nullptr, nullptr, nullptr, nullptr}};
  return algorithms.data();
}

}  // namespace pkcs11::openssl
