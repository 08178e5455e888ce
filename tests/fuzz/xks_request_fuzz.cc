// SPDX-License-Identifier: Apache-2.0
// What reaches the XKS proxy: a path, a line break, a body. Whatever it is, it
// is taken, or refused as the API says.
#include <cstdlib>

#include "base/bytes.h"
#include "kms/xks/wire.h"

namespace {

void Require(bool ok) {
  if (!ok) {
    std::abort();
  }
}

void CheckAgainst(kms::xks::Operation operation, std::string_view body) {
  kms::xks::Input input;
  const base::Status status = kms::xks::ReadBody(operation, body, input);
  if (!status.has_value()) {
    const unsigned answer = kms::xks::ErrorRowOf(status.error().code).status;
    Require(answer == 400 || answer == 501);
    base::WipingString text;
    kms::xks::WriteError(status.error(), text);
    Require(text.size() < 1024);
    return;
  }
  Require(input.aad.size() <= hsm::kMaxExternalAad);
  Require(input.plaintext.size() <= hsm::kMaxPlaintext);
  Require(input.sealed.metadata.size() <= hsm::kMaxExternalMetadata);
  Require(!input.metadata.kms_request_id.empty() ||
          body.find("kmsRequestId") != std::string_view::npos);
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  using enum kms::xks::Operation;
  const std::string_view text = base::AsText({bytes, size});
  const std::size_t end = text.find('\n');
  const std::string_view target = text.substr(0, end);
  if (const auto route = kms::xks::ParseTarget(target)) {
    Require(route->key_id.empty() == (route->operation == kHealth));
    Require(route->key_id.empty() || kms::xks::IsExternalKeyId(route->key_id));
    Require(target.starts_with(route->prefix));
  }
  if (end != std::string_view::npos) {
    for (const kms::xks::Operation operation :
         {kHealth, kMetadata, kEncrypt, kDecrypt}) {
      CheckAgainst(operation, text.substr(end + 1));
    }
  }
  return 0;
}
