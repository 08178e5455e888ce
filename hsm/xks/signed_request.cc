// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/signed_request.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "hsm/xks/addresses.h"

namespace hsm::xks {
namespace {

using base::WipingString;

constexpr std::string_view kService = "kms-xks-proxy";
constexpr std::string_view kScheme = "https://";
constexpr std::string_view kLetters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
constexpr std::size_t kLongestPath = 128;
constexpr std::size_t kLongestKeyId = 128;

// An ObjectText is a JSON object that is being written.
class ObjectText {
 public:
  explicit ObjectText(WipingString& out) : out_(out) { out_ += '{'; }

  ObjectText& Text(std::string_view name, std::string_view value) {
    Begin(name);
    out_ += '"';
    base::AppendJsonEscaped(value, out_);
    out_ += '"';
    return *this;
  }
  ObjectText& TextUnlessEmpty(std::string_view name, std::string_view value) {
    return value.empty() ? *this : Text(name, value);
  }
  ObjectText& Base64(std::string_view name, base::ByteView bytes) {
    Begin(name);
    out_ += '"';
    base::Base64Append(bytes, out_);
    out_ += '"';
    return *this;
  }
  ObjectText& Base64UnlessEmpty(std::string_view name, base::ByteView bytes) {
    return bytes.empty() ? *this : Base64(name, bytes);
  }
  // The value is to be appended next.
  ObjectText& Begin(std::string_view name) {
    out_ += first_ ? "\"" : ",\"";
    first_ = false;
    out_.append(name).append("\":");
    return *this;
  }
  void End() { out_ += '}'; }

 private:
  WipingString& out_;
  bool first_ = true;
};

void AppendRequestMetadata(const XksRequest& request, WipingString& out) {
  ObjectText object(out);
  object.Text("kmsRequestId", request.kms_request_id)
      .Text("kmsOperation", request.kms_operation);
  if (request.operation != XksOperation::kHealth) {
    object.TextUnlessEmpty("awsPrincipalArn", request.principal_arn)
        .TextUnlessEmpty("kmsKeyArn", request.key_arn)
        .TextUnlessEmpty("kmsViaService", request.via_service)
        .TextUnlessEmpty("awsSourceVpc", request.source_vpc)
        .TextUnlessEmpty("awsSourceVpce", request.source_vpce);
  }
  object.End();
}

// What stands behind the path of the proxy.
struct OperationPath {
  XksOperation operation;
  std::string_view name;
  bool is_of_key;
};
constexpr std::array<OperationPath, 4> kPaths = {{
    {XksOperation::kHealth, "/health", false},
    {XksOperation::kMetadata, "/metadata", true},
    {XksOperation::kEncrypt, "/encrypt", true},
    {XksOperation::kDecrypt, "/decrypt", true},
}};

// AWS KMS API Reference, CreateCustomKeyStore, XksProxyUriPath.
bool IsProxyPath(std::string_view path) {
  constexpr std::string_view kEnd = "/kms/xks/v";
  const std::size_t end = path.rfind(kEnd);
  if (end == std::string_view::npos || path.size() > kLongestPath) {
    return false;
  }
  const std::string_view version = path.substr(end + kEnd.size());
  const std::string_view prefix = path.substr(0, end);
  const bool prefix_is_good =
      prefix.empty() || (prefix.size() > 1 && prefix.front() == '/' &&
                         std::ranges::all_of(prefix, [](char c) {
                           return c == '/' ||
                                  kLetters.find(c) != std::string_view::npos;
                         }));
  return prefix_is_good && (version.size() == 1 || version.size() == 2) &&
         version.find_first_not_of("0123456789") == std::string_view::npos;
}

// AWS KMS API Reference, CreateKey, XksKeyId.
bool IsKeyId(std::string_view id) {
  return !id.empty() && id.size() <= kLongestKeyId &&
         std::ranges::all_of(id, [](char c) {
           return c == '.' || kLetters.find(c) != std::string_view::npos;
         });
}

base::Error Invalid(std::string_view what) {
  return {base::ErrorCode::kInvalidArgument,
          "the request to an XKS proxy has " + std::string(what)};
}

base::Result<std::string> PathOf(const XksRequest& request) {
  if (!IsProxyPath(request.proxy->path)) {
    return Invalid("no path such as /prefix/kms/xks/v1");
  }
  const auto* const row =
      std::ranges::find(kPaths, request.operation, &OperationPath::operation);
  std::string path = request.proxy->path;
  if (row->is_of_key) {
    if (!IsKeyId(request.external_key_id)) {
      return Invalid("no external key id");
    }
    path.append("/keys/").append(request.external_key_id);
  }
  path.append(row->name);
  return path;
}

base::Result<std::string> HostOf(const XksProxy& proxy) {
  const std::string_view endpoint = proxy.endpoint;
  if (!endpoint.starts_with(kScheme) ||
      !IsHostName(endpoint.substr(kScheme.size()))) {
    return Invalid("no endpoint such as https://xks.example.com");
  }
  std::string host(endpoint.substr(kScheme.size()));
  std::ranges::transform(host, host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return host;
}

}  // namespace

WipingString BodyOf(const XksRequest& request) {
  WipingString body;
  body.reserve(1024 + 2 * (request.plaintext.size() + request.aad.size() +
                           request.sealed.ciphertext.size()));
  ObjectText object(body);
  object.Begin("requestMetadata");
  AppendRequestMetadata(request, body);
  if (request.operation == XksOperation::kEncrypt) {
    object.Base64("plaintext", request.plaintext.Reveal())
        .Text("encryptionAlgorithm", "AES_GCM")
        .Base64UnlessEmpty("additionalAuthenticatedData", request.aad)
        .Text("ciphertextDataIntegrityValueAlgorithm", "SHA_256");
  }
  if (request.operation == XksOperation::kDecrypt) {
    object.Base64("ciphertext", request.sealed.ciphertext)
        .Text("encryptionAlgorithm", "AES_GCM")
        .Base64("initializationVector", request.sealed.iv)
        .Base64("authenticationTag", request.sealed.tag)
        .Base64UnlessEmpty("ciphertextMetadata", request.sealed.metadata)
        .Base64UnlessEmpty("additionalAuthenticatedData", request.aad);
  }
  object.End();
  return body;
}

base::Result<SignedRequest> SignRequest(const XksRequest& request,
                                        base::WallTime now) {
  if (request.proxy == nullptr) {
    return Invalid("no proxy");
  }
  const XksProxy& proxy = *request.proxy;
  SignedRequest made;
  ASSIGN_OR_RETURN(made.host, HostOf(proxy));
  ASSIGN_OR_RETURN(made.path, PathOf(request));
  made.body = BodyOf(request);
  made.headers = {{"content-type", "application/json"}};
  const std::array<base::HeaderView, 2> to_sign = {
      {{"content-type", made.headers[0].value}, {"host", made.host}}};
  base::Hasher& hasher = base::ThreadHasher();
  base::SigV4Signer signer(hasher,
                           {.access_key_id = proxy.access_key_id,
                            .secret_access_key = base::Secret::CopyOf(
                                proxy.secret_access_key.Reveal()),
                            .session_token = {}},
                           proxy.region, std::string(kService));
  ASSIGN_OR_RETURN(
      std::vector<base::Header> added,
      signer.Sign({.method = "POST",
                   .path = made.path,
                   .query = {},
                   .headers = to_sign,
                   .payload_sha256 = hasher.Sha256(base::AsBytes(made.body))},
                  now));
  std::ranges::move(added, std::back_inserter(made.headers));
  return made;
}

}  // namespace hsm::xks
