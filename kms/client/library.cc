// SPDX-License-Identifier: Apache-2.0
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

HostErrors::HostErrors() {
  const char* file = nullptr;
  const char* function = nullptr;
  const char* text = nullptr;
  int line = 0;
  int flags = 0;
  for (;;) {
    const unsigned long code =
        ERR_get_error_all(&file, &line, &function, &text, &flags);
    if (code == 0) {
      return;
    }
    entries_.push_back({code, file, line, function,
                        (flags & ERR_TXT_STRING) != 0 ? text : ""});
  }
}

HostErrors::~HostErrors() {
  ERR_clear_error();
  for (const Entry& entry : entries_) {
    ERR_new();
    ERR_set_debug(entry.file.c_str(), entry.line, entry.function.c_str());
    ERR_set_error(ERR_GET_LIB(entry.code), ERR_GET_REASON(entry.code),
                  entry.text.empty() ? nullptr : "%s", entry.text.c_str());
  }
}

}  // namespace kms::client
