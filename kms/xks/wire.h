// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_XKS_WIRE_H_
#define KMS_XKS_WIRE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/wiping.h"
#include "hsm/client/client.h"

// What goes over the wire of the XKS proxy API, v1.0.3.
namespace kms::xks {

enum class Operation : std::uint8_t { kHealth, kMetadata, kEncrypt, kDecrypt };
std::string_view OperationName(Operation operation);  // "GetHealthStatus"
std::string_view ActionOf(Operation operation);       // "xks:Encrypt"
// Under which name metrics count it: "Xks.Encrypt"; and all of them.
std::string_view MetricName(Operation operation);
std::vector<std::string_view> MetricNames();

// A Route is what a request's path says: whose, what, and which key.
struct Route {
  std::string_view prefix;  // Before "/kms/xks/v1".
  Operation operation = Operation::kHealth;
  std::string_view key_id;  // Empty for kHealth.
};

// Reads a request target. Nothing in such a path is ever encoded, and it has no
// query. nullopt: no operation has this path.
std::optional<Route> ParseTarget(std::string_view target);

// Whether it can be an external key's id: 1 to 128 of A-Z a-z 0-9 - _ .
bool IsExternalKeyId(std::string_view text);

// What the caller says of its own caller. Only logged and given to policies:
// none of it is proven.
struct RequestMetadata {
  std::string principal_arn;  // An ARN, a service, or "AWS Internal".
  std::string kms_request_id;
  std::string kms_operation;
  std::string kms_key_arn;
  std::string via_service;
  std::string source_vpc;
  std::string source_vpce;
};

// A body, once it is known to be one. Members that its operation does not have
// are empty.
struct Input {
  RequestMetadata metadata;
  base::Bytes aad;
  base::Secret plaintext;
  bool want_integrity = false;
  hsm::ExternalSealed sealed;
};

// Reads the body of a request for `operation`, into `input` as far as it gets:
// the requestMetadata comes first, so that a refusal can be recorded. Fails
// with kValidation, or kUnsupportedOperation for what is larger than we take.
base::Status ReadBody(Operation operation, std::string_view body, Input& input);

// The replies, compact.
void WriteMetadata(bool enabled, base::WipingString& out);
void WriteEncrypted(const hsm::SealExternalReply& reply,
                    base::WipingString& out);
void WriteDecrypted(const base::Secret& plaintext, base::WipingString& out);

// How an error leaves: its HTTP status and errorName.
struct ErrorRow {
  base::ErrorCode code;
  unsigned status;
  std::string_view name;
};
const ErrorRow& ErrorRowOf(base::ErrorCode code);
// The body of an error; what is nobody else's business is left out of it.
void WriteError(const base::Error& error, base::WipingString& out);

}  // namespace kms::xks

#endif  // KMS_XKS_WIRE_H_
