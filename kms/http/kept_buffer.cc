// SPDX-License-Identifier: Apache-2.0
#include "kms/http/kept_buffer.h"

#include <openssl/crypto.h>

namespace kms::http {

void EmptyBetweenRequests(base::WipingString& buffer) {
  OPENSSL_cleanse(buffer.data(), buffer.size());
  buffer.clear();
  if (buffer.capacity() > kMostKeptBytes) {
    base::WipingString().swap(buffer);
  }
}

}  // namespace kms::http
