// SPDX-License-Identifier: Apache-2.0
#include "kms/xks/wire.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.h"
#include "kms/json_writer.h"

namespace kms::xks {
namespace {

using base::Error;
using base::ErrorCode;

struct OperationRow {
  Operation operation;
  std::string_view name;
  std::string_view path;  // After the key's id; of kHealth the whole rest.
  std::string_view action;
  std::string_view metric;
};
constexpr std::array kOperations = {
    OperationRow{Operation::kHealth, "GetHealthStatus", "health", "",
                 "Xks.GetHealthStatus"},
    OperationRow{Operation::kMetadata, "GetKeyMetadata", "metadata",
                 "xks:GetKeyMetadata", "Xks.GetKeyMetadata"},
    OperationRow{Operation::kEncrypt, "Encrypt", "encrypt", "xks:Encrypt",
                 "Xks.Encrypt"},
    OperationRow{Operation::kDecrypt, "Decrypt", "decrypt", "xks:Decrypt",
                 "Xks.Decrypt"},
};
const OperationRow& RowOf(Operation operation) {
  return *std::ranges::find(kOperations, operation, &OperationRow::operation);
}

constexpr std::string_view kApi = "/kms/xks/v1/";
constexpr std::string_view kKeys = "keys/";
constexpr std::size_t kMostKeyId = 128;

// What every string of a requestMetadata must fit into: an ARN does.
constexpr std::size_t kMostText = 2048;

// Of what a body holds: the body itself is limited.
constexpr std::size_t kAnySize = std::numeric_limits<std::size_t>::max();

// Every code that a request can end with has a row; whatever else is ours.
constexpr std::array kErrors = {
    ErrorRow{ErrorCode::kValidation, 400, "ValidationException"},
    ErrorRow{ErrorCode::kSerialization, 400, "ValidationException"},
    ErrorRow{ErrorCode::kInvalidState, 400, "InvalidStateException"},
    ErrorRow{ErrorCode::kDisabled, 400, "InvalidStateException"},
    ErrorRow{ErrorCode::kInvalidCiphertext, 400, "InvalidCiphertextException"},
    ErrorRow{ErrorCode::kInvalidKeyUsage, 400, "InvalidKeyUsageException"},
    ErrorRow{ErrorCode::kMissingAuthentication, 401,
             "AuthenticationFailedException"},
    ErrorRow{ErrorCode::kIncompleteSignature, 401,
             "AuthenticationFailedException"},
    ErrorRow{ErrorCode::kInvalidSignature, 401,
             "AuthenticationFailedException"},
    ErrorRow{ErrorCode::kAccessDenied, 403, "AccessDeniedException"},
    ErrorRow{ErrorCode::kNotFound, 404, "KeyNotFoundException"},
    ErrorRow{ErrorCode::kUnknownOperation, 404, "InvalidUriPathException"},
    ErrorRow{ErrorCode::kThrottled, 429, "ThrottlingException"},
    ErrorRow{ErrorCode::kUnsupportedOperation, 501,
             "UnsupportedOperationException"},
    ErrorRow{ErrorCode::kTimeout, 503, "DependencyTimeoutException"},
};
constexpr ErrorRow kOurs = {ErrorCode::kInternal, 500, "InternalException"};

Error Invalid(std::string message) {
  return {ErrorCode::kValidation, std::move(message)};
}

std::string Named(std::string_view name, std::string_view text) {
  return std::string(name).append(" ").append(text);
}

// A Body takes members out of one JSON object, and remembers the first that
// was wrong: the caller takes them all, then asks Done() once.
class Body {
 public:
  explicit Body(const base::Json& object) : object_(object) {}

  enum class Need : std::uint8_t { kOptional, kRequired };

  std::string Text(std::string_view name, Need need) {
    const auto text = Find(name, need);
    if (text && text->empty() && need == Need::kRequired) {
      Fail(Invalid(Named(name, "is empty")));
    }
    if (text && text->size() > kMostText) {
      Fail(Invalid(Named(name, "is longer than 2048 bytes")));
      return {};
    }
    return std::string(text.value_or(""));
  }

  base::Bytes Bytes(std::string_view name, Need need, std::size_t most) {
    auto bytes = base::Base64Decode(Find(name, need).value_or(""));
    return Check(name, std::move(bytes), most).value_or(base::Bytes());
  }

  base::Secret Secret(std::string_view name, Need need, std::size_t most) {
    auto bytes = base::Base64DecodeSecret(Find(name, need).value_or(""));
    auto checked = Check(name, std::move(bytes), most);
    return checked ? *std::move(checked) : base::Secret();
  }

  // A member that may only have this value. Returns whether it is there.
  bool Word(std::string_view name, Need need, std::string_view only) {
    const auto text = Find(name, need);
    if (text && *text != only) {
      Fail(Invalid(Named(name, "must be ").append(only)));
    }
    return text.has_value();
  }

  void Fail(Error error) {
    if (status_) {
      status_ = std::move(error);
    }
  }
  base::Status Done() const { return status_; }

 private:
  std::optional<std::string_view> Find(std::string_view name, Need need) {
    const auto it = object_.find(name);
    if (it == object_.end() || it->is_null()) {
      if (need == Need::kRequired) {
        Fail(Invalid(Named(name, "is missing")));
      }
      return std::nullopt;
    }
    if (!it->is_string()) {
      Fail(Invalid(Named(name, "must be a string")));
      return std::nullopt;
    }
    return base::TextOf(*it);
  }

  template <typename T>
  base::Result<T> Check(std::string_view name, base::Result<T> bytes,
                        std::size_t most) {
    if (!bytes) {
      Fail(Invalid(Named(name, "must be Base64, of RFC 4648 section 4")));
    } else if (bytes->size() > most) {
      const Error too_large = {
          ErrorCode::kUnsupportedOperation,
          Named(name, "is larger than what this proxy takes")};
      Fail(too_large);
      return too_large;
    }
    return bytes;
  }

  const base::Json& object_;
  base::Status status_;
};

using Need = Body::Need;

base::Status ReadRequestMetadata(Operation operation, const base::Json& body,
                                 RequestMetadata& metadata) {
  const auto found = body.find("requestMetadata");
  if (found == body.end() || !found->is_object()) {
    return Invalid("requestMetadata must be an object");
  }
  const bool has_key = operation != Operation::kHealth;
  const bool uses_key =
      operation == Operation::kEncrypt || operation == Operation::kDecrypt;
  const auto required_if = [](bool condition) {
    return condition ? Need::kRequired : Need::kOptional;
  };
  Body object(*found);
  metadata.kms_request_id = object.Text("kmsRequestId", Need::kRequired);
  metadata.kms_operation = object.Text("kmsOperation", Need::kRequired);
  metadata.principal_arn = object.Text("awsPrincipalArn", required_if(has_key));
  metadata.kms_key_arn = object.Text("kmsKeyArn", required_if(uses_key));
  metadata.via_service = object.Text("kmsViaService", Need::kOptional);
  metadata.source_vpc = object.Text("awsSourceVpc", Need::kOptional);
  metadata.source_vpce = object.Text("awsSourceVpce", Need::kOptional);
  return object.Done();
}

base::Status ReadEncrypt(const base::Json& json, Input& input) {
  Body body(json);
  body.Word("encryptionAlgorithm", Need::kRequired, "AES_GCM");
  input.aad = body.Bytes("additionalAuthenticatedData", Need::kOptional,
                         hsm::kMaxExternalAad);
  input.plaintext =
      body.Secret("plaintext", Need::kRequired, hsm::kMaxPlaintext);
  input.want_integrity = body.Word("ciphertextDataIntegrityValueAlgorithm",
                                   Need::kOptional, "SHA_256");
  return body.Done();
}

base::Status ReadDecrypt(const base::Json& json, Input& input) {
  Body body(json);
  hsm::ExternalSealed& sealed = input.sealed;
  body.Word("encryptionAlgorithm", Need::kRequired, "AES_GCM");
  input.aad = body.Bytes("additionalAuthenticatedData", Need::kOptional,
                         hsm::kMaxExternalAad);
  sealed.ciphertext =
      body.Bytes("ciphertext", Need::kRequired, hsm::kMaxPlaintext);
  // Their sizes are the API's: what breaks them is wrong, not too large.
  sealed.iv = body.Bytes("initializationVector", Need::kRequired, kAnySize);
  sealed.tag = body.Bytes("authenticationTag", Need::kRequired, kAnySize);
  sealed.metadata = body.Bytes("ciphertextMetadata", Need::kOptional, kAnySize);
  if (sealed.iv.size() != 12 && sealed.iv.size() != 16) {
    body.Fail(Invalid("initializationVector must be of 12 or 16 bytes"));
  }
  if (sealed.tag.size() != hsm::kTagSize) {
    body.Fail(Invalid("authenticationTag must be of 16 bytes"));
  }
  if (sealed.metadata.size() > hsm::kMaxExternalMetadata) {
    body.Fail(Invalid("ciphertextMetadata must be of at most 20 bytes"));
  }
  return body.Done();
}

}  // namespace

std::string_view OperationName(Operation operation) {
  return RowOf(operation).name;
}

std::string_view ActionOf(Operation operation) {
  return RowOf(operation).action;
}

std::string_view MetricName(Operation operation) {
  return RowOf(operation).metric;
}

std::vector<std::string_view> MetricNames() {
  std::vector<std::string_view> names;
  names.reserve(kOperations.size());
  for (const OperationRow& row : kOperations) {
    names.push_back(row.metric);
  }
  return names;
}

bool IsExternalKeyId(std::string_view text) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  return !text.empty() && text.size() <= kMostKeyId &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

std::optional<Route> ParseTarget(std::string_view target) {
  const std::size_t api = target.find(kApi);
  if (api == std::string_view::npos) {
    return std::nullopt;
  }
  Route route;
  route.prefix = target.substr(0, api);
  std::string_view rest = target.substr(api + kApi.size());
  if (rest == RowOf(Operation::kHealth).path) {
    return route;
  }
  if (!rest.starts_with(kKeys)) {
    return std::nullopt;
  }
  rest.remove_prefix(kKeys.size());
  const std::size_t slash = rest.find('/');
  route.key_id = rest.substr(0, slash);
  const auto* const row = std::ranges::find(
      kOperations,
      slash == std::string_view::npos ? "" : rest.substr(slash + 1),
      &OperationRow::path);
  if (row == kOperations.end() || row->operation == Operation::kHealth ||
      !IsExternalKeyId(route.key_id)) {
    return std::nullopt;
  }
  route.operation = row->operation;
  return route;
}

base::Status ReadBody(Operation operation, std::string_view body,
                      Input& input) {
  ASSIGN_OR_RETURN(const base::Json json, base::ParseJson(body));
  if (!json.is_object()) {
    return Invalid("the body must be a JSON object");
  }
  RETURN_IF_ERROR(ReadRequestMetadata(operation, json, input.metadata));
  switch (operation) {
    case Operation::kHealth:
    case Operation::kMetadata:
      return {};
    case Operation::kEncrypt:
      return ReadEncrypt(json, input);
    case Operation::kDecrypt:
      return ReadDecrypt(json, input);
  }
  return Error{ErrorCode::kInternal, "an operation without a body"};
}

void WriteMetadata(bool enabled, base::WipingString& out) {
  JsonWriter(out)
      .BeginObject()
      .Text("keySpec", "AES_256")
      .BeginArray("keyUsage")
      .Item("ENCRYPT")
      .Item("DECRYPT")
      .EndArray()
      .Text("keyStatus", enabled ? "ENABLED" : "DISABLED")
      .EndObject();
}

void WriteEncrypted(const hsm::SealExternalReply& reply,
                    base::WipingString& out) {
  JsonWriter writer(out);
  writer.BeginObject()
      .Blob("ciphertext", reply.sealed.ciphertext)
      .Blob("ciphertextMetadata", reply.sealed.metadata)
      .Blob("initializationVector", reply.sealed.iv)
      .Blob("authenticationTag", reply.sealed.tag);
  if (!reply.integrity.empty()) {
    writer.Blob("ciphertextDataIntegrityValue", reply.integrity);
  }
  writer.EndObject();
}

void WriteDecrypted(const base::Secret& plaintext, base::WipingString& out) {
  JsonWriter(out)
      .BeginObject()
      .Blob("plaintext", plaintext.Reveal())
      .EndObject();
}

const ErrorRow& ErrorRowOf(ErrorCode code) {
  const auto* const row = std::ranges::find(kErrors, code, &ErrorRow::code);
  return row == kErrors.end() ? kOurs : *row;
}

// Printable ASCII of less than 512 characters, by the API.
void WriteError(const Error& error, base::WipingString& out) {
  constexpr std::size_t kMostMessage = 511;
  const ErrorRow& row = ErrorRowOf(error.code);
  std::string message = row.status >= 500 && row.status != 501
                            ? std::string()
                            : error.message.substr(0, kMostMessage);
  std::ranges::replace_if(
      message, [](char c) { return c < ' ' || c > '~'; }, '?');
  JsonWriter writer(out);
  writer.BeginObject().Text("errorName", row.name);
  if (!message.empty()) {
    writer.Text("errorMessage", message);
  }
  writer.EndObject();
}

}  // namespace kms::xks
