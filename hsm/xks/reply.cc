// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/reply.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "hsm/xks/errors.h"

namespace hsm::xks {
namespace {

using base::Bytes;
using base::Error;
using base::Json;
using base::Result;
using base::Status;

constexpr long kOk = 200;
constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kMostManagers = 10;
constexpr std::size_t kMostUsages = 10;
constexpr std::array<std::string_view, 3> kHealthStatuses = {
    "ACTIVE", "DEGRADED", "UNAVAILABLE"};
constexpr std::array<std::string_view, 2> kKeyStatuses = {"ENABLED",
                                                          "DISABLED"};

Error Malformed(const std::string& reason) {
  return {base::ErrorCode::kCorrupt, "the proxy's reply " + reason};
}

Error Wrong(std::string_view name, std::string_view what) {
  return Malformed("has a member " + std::string(name) + " that " +
                   std::string(what));
}

// The member `name`; fails if there is none.
Result<const Json*> Member(const Json& object, std::string_view name) {
  const auto found = object.find(base::WipingString(name));
  if (found == object.end()) {
    return Malformed("has no member " + std::string(name));
  }
  return &*found;
}

Result<std::string> Text(const Json& value, std::string_view name) {
  if (!value.is_string()) {
    return Wrong(name, "is no string");
  }
  const std::string_view text = base::TextOf(value);
  if (text.size() > kLongestText) {
    return Wrong(name, "is too long");
  }
  return std::string(text);
}

Result<std::string> TextOfMember(const Json& object, std::string_view name) {
  ASSIGN_OR_RETURN(const Json* const member, Member(object, name));
  return Text(*member, name);
}

template <std::size_t kSize>
Result<std::string> OneOf(const Json& object, std::string_view name,
                          const std::array<std::string_view, kSize>& values) {
  ASSIGN_OR_RETURN(std::string text, TextOfMember(object, name));
  if (std::ranges::find(values, text) == values.end()) {
    return Wrong(name, "has no value of the XKS proxy API");
  }
  return text;
}

Result<std::string_view> Encoded(const Json& object, std::string_view name) {
  ASSIGN_OR_RETURN(const Json* const member, Member(object, name));
  if (!member->is_string()) {
    return Wrong(name, "is no string");
  }
  return base::TextOf(*member);
}

Result<Bytes> Decoded(const Json& object, std::string_view name) {
  ASSIGN_OR_RETURN(const std::string_view text, Encoded(object, name));
  Result<Bytes> bytes = base::Base64Decode(text);
  if (!bytes) {
    return Wrong(name, "is no Base64");
  }
  return bytes;
}

Status CheckSize(std::string_view name, std::size_t size, bool is_right) {
  if (!is_right) {
    return Wrong(name, "has " + std::to_string(size) + " bytes");
  }
  return {};
}

base::Digest IntegrityOf(const Bytes& aad, const ExternalSealed& sealed) {
  base::Hasher& hasher = base::ThreadHasher();
  hasher.Start();
  hasher.Update(aad);
  hasher.Update(sealed.metadata);
  hasher.Update(sealed.iv);
  hasher.Update(sealed.ciphertext);
  hasher.Update(sealed.tag);
  return hasher.Finish();
}

Status ReadEncrypt(const Sent& sent, const Json& body, XksReply& reply) {
  ExternalSealed& sealed = reply.sealed;
  ASSIGN_OR_RETURN(sealed.ciphertext, Decoded(body, "ciphertext"));
  ASSIGN_OR_RETURN(sealed.iv, Decoded(body, "initializationVector"));
  ASSIGN_OR_RETURN(sealed.tag, Decoded(body, "authenticationTag"));
  if (body.contains("ciphertextMetadata")) {
    ASSIGN_OR_RETURN(sealed.metadata, Decoded(body, "ciphertextMetadata"));
  }
  ASSIGN_OR_RETURN(const Bytes integrity,
                   Decoded(body, "ciphertextDataIntegrityValue"));
  RETURN_IF_ERROR(CheckSize("ciphertext", sealed.ciphertext.size(),
                            sealed.ciphertext.size() == sent.size));
  RETURN_IF_ERROR(CheckSize("initializationVector", sealed.iv.size(),
                            sealed.iv.size() == 12 || sealed.iv.size() == 16));
  RETURN_IF_ERROR(CheckSize("authenticationTag", sealed.tag.size(),
                            sealed.tag.size() == kTagSize));
  RETURN_IF_ERROR(CheckSize("ciphertextMetadata", sealed.metadata.size(),
                            sealed.metadata.size() <= kMaxExternalMetadata));
  if (!base::ConstantTimeEqual(integrity, IntegrityOf(sent.aad, sealed))) {
    return Wrong("ciphertextDataIntegrityValue",
                 "is not that of what came with it");
  }
  return {};
}

Status ReadDecrypt(const Sent& sent, const Json& body, XksReply& reply) {
  ASSIGN_OR_RETURN(const std::string_view text, Encoded(body, "plaintext"));
  Result<base::Secret> plaintext = base::Base64DecodeSecret(text);
  if (!plaintext) {
    return Wrong("plaintext", "is no Base64");
  }
  RETURN_IF_ERROR(CheckSize("plaintext", plaintext->size(),
                            plaintext->size() == sent.size));
  reply.plaintext = *std::move(plaintext);
  return {};
}

Status ReadMetadata(const Sent& /*sent*/, const Json& body, XksReply& reply) {
  ASSIGN_OR_RETURN(reply.key_spec, TextOfMember(body, "keySpec"));
  ASSIGN_OR_RETURN(const Json* const usages, Member(body, "keyUsage"));
  if (!usages->is_array() || usages->size() > kMostUsages) {
    return Wrong("keyUsage", "is no list of at most 10");
  }
  reply.key_usages.reserve(usages->size());
  for (const Json& usage : *usages) {
    ASSIGN_OR_RETURN(std::string text, Text(usage, "keyUsage"));
    reply.key_usages.push_back(std::move(text));
  }
  ASSIGN_OR_RETURN(reply.key_status, OneOf(body, "keyStatus", kKeyStatuses));
  return {};
}

Result<ExternalManagerHealth> ReadManager(const Json& value) {
  if (!value.is_object()) {
    return Wrong("ekmFleetDetails", "holds something else than objects");
  }
  ExternalManagerHealth manager;
  ASSIGN_OR_RETURN(manager.id, TextOfMember(value, "id"));
  ASSIGN_OR_RETURN(manager.model, TextOfMember(value, "model"));
  ASSIGN_OR_RETURN(manager.status,
                   OneOf(value, "healthStatus", kHealthStatuses));
  return manager;
}

Status ReadHealth(const Sent& /*sent*/, const Json& body, XksReply& reply) {
  ASSIGN_OR_RETURN(const Json* const size, Member(body, "xksProxyFleetSize"));
  if (!size->is_number_integer() || *size <= 0) {
    return Wrong("xksProxyFleetSize", "is no positive whole number");
  }
  ASSIGN_OR_RETURN(reply.proxy_vendor, TextOfMember(body, "xksProxyVendor"));
  ASSIGN_OR_RETURN(reply.proxy_model, TextOfMember(body, "xksProxyModel"));
  ASSIGN_OR_RETURN(reply.manager_vendor, TextOfMember(body, "ekmVendor"));
  ASSIGN_OR_RETURN(const Json* const managers, Member(body, "ekmFleetDetails"));
  if (!managers->is_array() || managers->empty() ||
      managers->size() > kMostManagers) {
    return Wrong("ekmFleetDetails", "is no list of 1 to 10");
  }
  reply.managers.reserve(managers->size());
  for (const Json& value : *managers) {
    ASSIGN_OR_RETURN(ExternalManagerHealth manager, ReadManager(value));
    reply.managers.push_back(std::move(manager));
  }
  return {};
}

struct OperationReader {
  XksOperation operation;
  Status (*read)(const Sent&, const Json&, XksReply&);
};
constexpr std::array<OperationReader, 4> kReaders = {{
    {XksOperation::kHealth, ReadHealth},
    {XksOperation::kMetadata, ReadMetadata},
    {XksOperation::kEncrypt, ReadEncrypt},
    {XksOperation::kDecrypt, ReadDecrypt},
}};

// The text of a member; empty if there is no such text.
std::string_view TextOrNothing(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? base::TextOf(*found)
                                                     : std::string_view();
}

Result<XksReply> ReadError(long status, const Json& body) {
  const std::string_view name = TextOrNothing(body, "errorName");
  const std::optional<XksOutcome> outcome = OutcomeOf(name, status);
  if (!outcome) {
    return Malformed("has HTTP status " + std::to_string(status) +
                     " and errorName '" +
                     Printable(name.substr(0, kLongestText / 8)) + "'");
  }
  XksReply reply;
  reply.outcome = *outcome;
  reply.message = Printable(TextOrNothing(body, "errorMessage"));
  return reply;
}

Result<XksReply> Read(const Sent& sent, long status, std::string_view body) {
  if (body.size() > kMaxReply) {
    return Malformed("is too long");
  }
  const Result<Json> json = base::ParseJson(body);
  if (!json || !json->is_object()) {
    return Malformed("is no JSON object; its HTTP status is " +
                     std::to_string(status));
  }
  if (status != kOk) {
    return ReadError(status, *json);
  }
  const auto* const reader =
      std::ranges::find(kReaders, sent.operation, &OperationReader::operation);
  XksReply reply;
  RETURN_IF_ERROR(reader->read(sent, *json, reply));
  reply.outcome = XksOutcome::kOk;
  return reply;
}

}  // namespace

Sent SentBy(const XksRequest& request) {
  return {request.operation,
          request.operation == XksOperation::kEncrypt
              ? request.plaintext.size()
              : request.sealed.ciphertext.size(),
          request.aad};
}

XksReply ReadReply(const Sent& sent, long status, std::string_view body) {
  Result<XksReply> reply = Read(sent, status, body);
  if (reply) {
    return *std::move(reply);
  }
  XksReply malformed;
  malformed.outcome = XksOutcome::kMalformed;
  malformed.message = Printable(reply.error().message);
  return malformed;
}

}  // namespace hsm::xks
