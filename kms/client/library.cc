// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED  // For HostErrors.
#include "kms/client/library.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <array>
#include <limits>
#include <utility>

namespace kms::client {

using base::Error;
using base::ErrorCode;

constinit std::atomic<LibraryContext::Entry*> LibraryContext::idle = nullptr;

void LibraryContext::Push(Entry* entry) {
  entry->next = idle.load();
  while (!idle.compare_exchange_weak(entry->next, entry)) {
  }
}

// Takes all and puts back the rest: to take one alone would go wrong where
// others take and put it back meanwhile.
LibraryContext::Entry* LibraryContext::Pop() {
  Entry* const first = idle.exchange(nullptr);
  for (Entry* rest = first == nullptr ? nullptr : first->next;
       rest != nullptr;) {
    Push(std::exchange(rest, rest->next));
  }
  return first;
}

base::Result<LibraryContext> LibraryContext::Create() {
  // Whatever touches OpenSSL first makes it read openssl.cnf. Do it here, on
  // purpose, rather than inside a call that holds a lock.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  const HostErrors errors;
  LibraryContext library;
  library.entry_.reset(Pop());
  if (library.entry_ != nullptr) {
    return library;
  }
  OSSL_LIB_CTX* const context = OSSL_LIB_CTX_new();
  if (context == nullptr || OSSL_PROVIDER_load(context, "default") == nullptr) {
    const std::string why = TakeOpensslError();
    OSSL_LIB_CTX_free(context);
    return Error{ErrorCode::kInternal, "OpenSSL's default provider: " + why};
  }
  library.entry_.reset(new Entry{context, nullptr});
  return library;
}

std::uint64_t LibraryContext::RandomUpTo(std::uint64_t most) const {
  std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
  if (RAND_bytes_ex(get(), bytes.data(), bytes.size(), 0) != 1) {
    return most;
  }
  std::uint64_t number = 0;
  for (const unsigned char byte : bytes) {
    number = number << 8 | byte;
  }
  // 2^64 is so large that the remainder's bias is nothing.
  return most == std::numeric_limits<std::uint64_t>::max()
             ? number
             : number % (most + 1);
}

bool OpensslIsUp() { return OPENSSL_init_crypto(0, nullptr) == 1; }

std::string TakeOpensslError() {
  std::array<char, 160> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

// OpenSSL's queue as it is: nothing else can show its marks. Deprecated, and
// the same in all of OpenSSL 3.
struct HostErrors::Queue {
  ERR_STATE state;
};

HostErrors::HostErrors() {
  ERR_STATE* const state = ERR_get_state();
  if (state != nullptr) {
    host_ = std::make_unique<Queue>(Queue{*state});
    *state = ERR_STATE{};
  }
}

HostErrors::~HostErrors() {
  ERR_STATE* const state = ERR_get_state();
  if (host_ == nullptr || state == nullptr) {
    return;
  }
  for (std::size_t i = 0; i < ERR_NUM_ERRORS; ++i) {
    if ((state->err_data_flags[i] & ERR_TXT_MALLOCED) != 0) {
      OPENSSL_free(state->err_data[i]);
    }
    OPENSSL_free(state->err_file[i]);
    OPENSSL_free(state->err_func[i]);
  }
  *state = host_->state;
}

}  // namespace kms::client
