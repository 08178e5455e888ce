// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/data_key.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/wiping.h"
#include "tools/claviger/envelope.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;

void AppendString(std::string_view text, base::WipingString& out) {
  out.push_back('"');
  base::AppendJsonEscaped(text, out);
  out.push_back('"');
}

void AppendContext(const EncryptionContext& context, base::WipingString& out) {
  out.append(R"("EncryptionContext":{)");
  const char* separator = "";
  for (const auto& [key, value] : context) {
    out.append(std::exchange(separator, ","));
    AppendString(key, out);
    out.push_back(':');
    AppendString(value, out);
  }
  out.push_back('}');
}

// What is not UTF-8 changes on its way into JSON.
bool IsUtf8(std::string_view text) {
  base::WipingString json;
  AppendString(text, json);
  const base::Result<base::Json> parsed = base::ParseJson(json);
  return parsed.has_value() && base::TextOf(*parsed) == text;
}

Error Unexpected(const char* member) {
  return Error{ErrorCode::kCorrupt,
               std::string("the server's reply has no proper ") + member};
}

// The text of `member` in the JSON object `reply`; empty if there is none.
std::string_view Member(const base::Json& reply, const char* member) {
  if (!reply.is_object()) {
    return {};
  }
  const auto found = reply.find(base::WipingString(member));
  return found != reply.end() && found->is_string() ? base::TextOf(*found)
                                                    : std::string_view();
}

base::Result<base::Secret> PlaintextOf(const base::Json& reply) {
  base::Result<base::Secret> key =
      base::Base64DecodeSecret(Member(reply, "Plaintext"));
  if (!key.has_value() || key->size() != kDataKeyBytes) {
    return Unexpected("Plaintext");
  }
  return key;
}

}  // namespace

base::Result<DataKey> GenerateDataKey(kms::client::Client& client,
                                      const std::string& key_id,
                                      const EncryptionContext& context) {
  base::WipingString request(R"({"KeySpec":"AES_256","KeyId":)");
  AppendString(key_id, request);
  request.push_back(',');
  AppendContext(context, request);
  request.push_back('}');
  ASSIGN_OR_RETURN(const kms::client::Response response,
                   client.Call("GenerateDataKey", request));
  ASSIGN_OR_RETURN(const base::Json reply, base::ParseJson(response.body));
  DataKey key;
  ASSIGN_OR_RETURN(key.plaintext, PlaintextOf(reply));
  base::Result<base::Bytes> wrapped =
      base::Base64Decode(Member(reply, "CiphertextBlob"));
  if (!wrapped.has_value() || wrapped->empty()) {
    return Unexpected("CiphertextBlob");
  }
  key.wrapped = *std::move(wrapped);
  return key;
}

base::Result<base::Secret> UnwrapDataKey(
    kms::client::Client& client, const base::Bytes& wrapped,
    const EncryptionContext& context,
    const std::optional<std::string>& key_id) {
  base::WipingString request(R"({"CiphertextBlob":")");
  base::Base64Append(wrapped, request);
  request.append("\",");
  if (key_id.has_value()) {
    request.append(R"("KeyId":)");
    AppendString(*key_id, request);
    request.push_back(',');
  }
  AppendContext(context, request);
  request.push_back('}');
  ASSIGN_OR_RETURN(const kms::client::Response response,
                   client.Call("Decrypt", request));
  ASSIGN_OR_RETURN(const base::Json reply, base::ParseJson(response.body));
  return PlaintextOf(reply);
}

base::Result<EncryptionContext> ParseContext(
    const std::vector<std::string>& pairs) {
  EncryptionContext context;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || !IsUtf8(pair)) {
      return Error{ErrorCode::kInvalidArgument,
                   "--context takes KEY=VALUE in UTF-8, not '" + pair + "'"};
    }
    const bool added =
        context.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second;
    if (!added) {
      return Error{ErrorCode::kInvalidArgument,
                   "--context gives '" + pair.substr(0, equals) + "' twice"};
    }
  }
  return context;
}

}  // namespace tools::claviger
