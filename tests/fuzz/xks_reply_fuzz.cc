// SPDX-License-Identifier: Apache-2.0
// Whatever a proxy answers, only what passes every check is used. The first
// byte chooses the operation, the second the status.
#include <array>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "hsm/messages.h"
#include "hsm/xks/errors.h"
#include "hsm/xks/reply.h"

namespace {

using hsm::XksOperation;
using hsm::XksOutcome;
using hsm::XksReply;
using hsm::xks::Sent;

constexpr std::array kStatuses = {200L, 400L, 401L, 403L, 404L,
                                  429L, 500L, 501L, 503L, 302L};
constexpr std::size_t kSize = 12;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void CheckOk(const Sent& sent, const XksReply& reply) {
  switch (sent.operation) {
    case XksOperation::kHealth:
      Require(!reply.managers.empty() && reply.managers.size() <= 10);
      break;
    case XksOperation::kMetadata:
      Require(!reply.key_status.empty() && reply.key_usages.size() <= 10);
      break;
    case XksOperation::kEncrypt:
      Require(reply.sealed.ciphertext.size() == kSize);
      Require(reply.sealed.iv.size() == 12 || reply.sealed.iv.size() == 16);
      Require(reply.sealed.tag.size() == hsm::kTagSize);
      Require(reply.sealed.metadata.size() <= hsm::kMaxExternalMetadata);
      break;
    case XksOperation::kDecrypt:
      Require(reply.plaintext.size() == kSize);
      break;
  }
}

}  // namespace

// The name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* bytes, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const Sent sent{static_cast<XksOperation>(1 + bytes[0] % 4), kSize, {}};
  const long status = kStatuses[bytes[1] % kStatuses.size()];
  const std::string_view body = base::AsText({bytes + 2, size - 2});
  const XksReply reply = hsm::xks::ReadReply(sent, status, body);
  if (reply.outcome == XksOutcome::kOk) {
    Require(status == 200);
    CheckOk(sent, reply);
  } else {
    Require(reply.sealed.ciphertext.empty() && reply.plaintext.empty());
    Require(reply.message == hsm::xks::Printable(reply.message));
  }
  return 0;
}
