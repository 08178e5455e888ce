// SPDX-License-Identifier: Apache-2.0
// The provider as OpenSSL sees it: one function, and the tables behind it.
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "pkcs11/openssl/context.h"
#include "pkcs11/openssl/live_kms.h"
#include "pkcs11/openssl/operations.h"
#include "pkcs11/openssl/shim.h"

namespace pkcs11::openssl {
namespace {

void Teardown(void* provider) {
  const std::unique_ptr<Provider> owner(static_cast<Provider*>(provider));
  LetGo(std::move(owner->context));
}

// Of our own, for `claviger doctor`: where the KMS is, and 1 if it answers.
// Both raise an error if not.
constexpr const char* kEndpoint = "claviger-endpoint";
constexpr const char* kAnswers = "claviger-answers";

const OSSL_PARAM* GettableParams(void*) {
  static const auto params = std::to_array<OSSL_PARAM>(
      {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
       OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
       OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, nullptr, 0),
       OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr),
       OSSL_PARAM_utf8_string(kEndpoint, nullptr, 0),
       OSSL_PARAM_int(kAnswers, nullptr), OSSL_PARAM_END});
  return params.data();
}

struct TextRow {
  const char* name;
  const char* text;
};
constexpr std::array kTexts = {
    TextRow{OSSL_PROV_PARAM_NAME, "Claviger, keys of a KMS"},
    TextRow{OSSL_PROV_PARAM_VERSION, CLAVIGER_VERSION},
    TextRow{OSSL_PROV_PARAM_BUILDINFO, CLAVIGER_VERSION},
};

int GetEndpoint(const Context& context, OSSL_PARAM* param) {
  if (param == nullptr) {
    return 1;
  }
  const base::Result<std::string> endpoint = context.Endpoint();
  if (!endpoint.has_value()) {
    return context.core().Raise(Reason::kConfiguration,
                                endpoint.error().message);
  }
  return OSSL_PARAM_set_utf8_string(param, endpoint->c_str());
}

int GetAnswers(const Context& context, OSSL_PARAM* param) {
  if (param == nullptr) {
    return 1;
  }
  const base::Status answered = context.Ping();
  if (!answered.has_value()) {
    return context.core().Raise(Reason::kKms, answered.error().message);
  }
  return OSSL_PARAM_set_int(param, 1);
}

int GetParams(void* provider, OSSL_PARAM params[]) {
  for (const TextRow& row : kTexts) {
    OSSL_PARAM* const param = OSSL_PARAM_locate(params, row.name);
    if (param != nullptr && OSSL_PARAM_set_utf8_ptr(param, row.text) != 1) {
      return 0;
    }
  }
  OSSL_PARAM* const status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
  if (status != nullptr && OSSL_PARAM_set_int(status, 1) != 1) {
    return 0;
  }
  const Context& context = *ContextOf(provider);
  return GetEndpoint(context, OSSL_PARAM_locate(params, kEndpoint)) == 1 &&
                 GetAnswers(context, OSSL_PARAM_locate(params, kAnswers)) == 1
             ? 1
             : 0;
}

struct OperationRow {
  int operation;
  const OSSL_ALGORITHM* (*algorithms)();
};
constexpr std::array kOperations = {
    OperationRow{OSSL_OP_KEYMGMT, KeyManagement},
    OperationRow{OSSL_OP_KEYEXCH, KeyExchanges},
    OperationRow{OSSL_OP_SIGNATURE, Signatures},
    OperationRow{OSSL_OP_ASYM_CIPHER, AsymmetricCiphers},
    OperationRow{OSSL_OP_DECODER, Decoders},
    OperationRow{OSSL_OP_STORE, Stores},
};

const OSSL_ALGORITHM* QueryOperation(void*, int operation, int* no_cache) {
  *no_cache = 0;
  const auto* const row =
      std::ranges::find(kOperations, operation, &OperationRow::operation);
  return row == kOperations.end() ? nullptr : row->algorithms();
}

const OSSL_ITEM* Reasons(void*) { return ReasonTexts(); }

const OSSL_DISPATCH* Functions() {
  static const std::array rows = {
      Row<OSSL_FUNC_provider_teardown_fn, Teardown>(
          OSSL_FUNC_PROVIDER_TEARDOWN),
      Row<OSSL_FUNC_provider_gettable_params_fn, GettableParams>(
          OSSL_FUNC_PROVIDER_GETTABLE_PARAMS),
      Row<OSSL_FUNC_provider_get_params_fn, GetParams>(
          OSSL_FUNC_PROVIDER_GET_PARAMS),
      Row<OSSL_FUNC_provider_query_operation_fn, QueryOperation>(
          OSSL_FUNC_PROVIDER_QUERY_OPERATION),
      Row<OSSL_FUNC_provider_get_reason_strings_fn, Reasons>(
          OSSL_FUNC_PROVIDER_GET_REASON_STRINGS),
      kEndOfRows};
  return rows.data();
}

// Once in a process, however often the provider is loaded: handlers stay.
void WatchForks() {
  static constinit std::once_flag watched;
  std::call_once(watched, [] {
    pthread_atfork(CloseForkGate, OpenForkGate, [] {
      TellChild();
      MakeForkGate();
    });
  });
}

int Initialize(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* in,
               const OSSL_DISPATCH** out, void** provider) {
  const base::Result<Core> core = Core::Create(handle, in);
  if (!core.has_value()) {
    return 0;
  }
  base::Result<ContextOwner> context = Context::Create(*core);
  if (!context.has_value()) {
    return core->Raise(Reason::kOpenssl, context.error().message);
  }
  WatchForks();
  *provider = new Provider{*std::move(context)};
  *out = Functions();
  return 1;
}

}  // namespace
}  // namespace pkcs11::openssl

#pragma GCC visibility push(default)
extern "C" int OSSL_provider_init(const OSSL_CORE_HANDLE* handle,
                                  const OSSL_DISPATCH* in,
                                  const OSSL_DISPATCH** out, void** provider) {
  using pkcs11::openssl::Shim;
  return Shim<&pkcs11::openssl::Initialize>::Call(handle, in, out, provider);
}
#pragma GCC visibility pop
