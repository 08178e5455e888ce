// SPDX-License-Identifier: Apache-2.0
#include "kms/http/authenticator.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/region.h"
#include "base/sigv4.h"
#include "kms/identity/principals.h"

namespace kms::http {
namespace {

constexpr std::size_t kMostKnown = 4096;
constexpr int kMostOpening = 32;
constexpr std::size_t kSessionDigits = 16;  // Of a fingerprint.
constexpr std::string_view kTokenHeader = "x-amz-security-token";

// An Opening counts as one of those that are going on, however it ends.
class Opening {
 public:
  explicit Opening(int& going_on) : going_on_(going_on) { ++going_on_; }
  ~Opening() { --going_on_; }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

 private:
  int& going_on_;
};

void EmptyIfFull(auto& container) {
  if (container.size() >= kMostKnown) {
    container.clear();
  }
}

base::Error Missing() {
  return {base::ErrorCode::kMissingAuthentication,
          "Missing Authentication Token"};
}

base::Error Unrecognized() {
  return {base::ErrorCode::kUnrecognizedClient,
          "The security token included in the request is invalid."};
}

// `proof` stands for a principal who is not in the directory.
base::Error NobodyIs(std::string_view proof, std::string_view principal,
                     std::string_view remedy) {
  return {base::ErrorCode::kUnrecognizedClient,
          std::string("The ")
              .append(proof)
              .append(" stands for ")
              .append(principal)
              .append(", which does not exist: ")
              .append(remedy)
              .append(".")};
}

base::Status CheckDates(const PeerCertificate& certificate,
                        const std::string& principal, base::WallTime now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const std::string who =
      "The client certificate, which stands for " + principal;
  if (second < certificate.not_before) {
    return base::Error{
        base::ErrorCode::kUnrecognizedClient,
        who + ", is not valid yet: wait, or check the clocks of both sides."};
  }
  if (second > certificate.not_after) {
    return base::Error{base::ErrorCode::kUnrecognizedClient,
                       who +
                           ", has expired: make a new one and put its "
                           "fingerprint into [certificate_principals]."};
  }
  return {};
}

base::SigV4Request SignedPart(const HttpRequest& request,
                              base::Hasher& hasher) {
  std::string_view query = request.target;
  const std::string_view path = base::CutAt(query, '?');
  return {.method = request.method,
          .path = path,
          .query = query,
          .headers = request.headers,
          .payload_sha256 = hasher.Sha256(base::AsBytes(request.body))};
}

}  // namespace

Authenticator::Authenticator(const identity::DirectorySource& directory,
                             identity::SessionOpener& sessions,
                             const base::Clock& clock, LocalIdentity local)
    : directory_(directory),
      sessions_(sessions),
      clock_(clock),
      local_(std::move(local)) {}

bool Authenticator::MustOpenToken(const HttpRequest& request) const {
  const auto token = request.Header(kTokenHeader);
  return token && request.Header("authorization") &&
         !known_sessions_.contains(std::string(*token));
}

base::Status Authenticator::CheckTokenWorthOpening(const HttpRequest& request,
                                                   std::string_view service,
                                                   const base::Digest& digest) {
  ASSIGN_OR_RETURN(const auto claim,
                   ReadClaim(SignedPart(request, hasher_), service));
  if (!claim.access_key_id.starts_with("ASIA") ||
      refused_tokens_.contains(digest)) {
    return Unrecognized();
  }
  if (opening_ >= kMostOpening) {
    return base::Error{base::ErrorCode::kThrottled,
                       "Too many new sessions at once. Try again."};
  }
  return {};
}

boost::asio::awaitable<base::Status> Authenticator::OpenToken(
    const HttpRequest& request, std::string_view service) {
  const std::string token(request.Header(kTokenHeader).value_or(""));
  const base::Digest digest = hasher_.Sha256(base::AsBytes(token));
  CO_RETURN_IF_ERROR(CheckTokenWorthOpening(request, service, digest));
  const Opening counted(opening_);
  auto session = co_await sessions_.Open(token);
  if (!session) {
    if (session.error().code == base::ErrorCode::kUnrecognizedClient) {
      EmptyIfFull(refused_tokens_);
      refused_tokens_.insert(digest);
    }
    co_return base::Error(std::move(session).error());
  }
  EmptyIfFull(known_sessions_);
  known_sessions_[token] = {*std::move(session), nullptr};
  co_return base::Status();
}

base::Result<Identity> Authenticator::Authenticate(const HttpRequest& request,
                                                   std::string_view service) {
  if (request.Header("authorization")) {
    return CheckSignature(request, service);
  }
  if (request.peer.unix_peer) {
    return TrustKernel(request, *request.peer.unix_peer);
  }
  if (request.peer.certificate) {
    return TrustCertificate(request, *request.peer.certificate);
  }
  return Missing();
}

Identity Authenticator::Anonymous() const {
  Caller caller;
  caller.kind = CallerKind::kAnonymous;
  return {.caller = std::make_shared<const Caller>(std::move(caller)),
          .region = local_.default_region};
}

base::Result<base::SigV4Authorization> Authenticator::ReadClaim(
    const base::SigV4Request& signed_part, std::string_view service) const {
  auto claim =
      base::ReadAuthorization(signed_part, {&service, 1}, clock_.Now());
  if (!claim && claim.error().code == base::ErrorCode::kMissingAuthentication) {
    return Missing();
  }
  return claim;
}

base::Result<Identity> Authenticator::CheckSignature(const HttpRequest& request,
                                                     std::string_view service) {
  const base::SigV4Request signed_part = SignedPart(request, hasher_);
  ASSIGN_OR_RETURN(const base::SigV4Authorization claim,
                   ReadClaim(signed_part, service));
  if (const auto token = request.Header(kTokenHeader)) {
    return CheckSession(signed_part, claim, *token);
  }
  return CheckLongTerm(signed_part, claim);
}

base::Result<Identity> Authenticator::CheckLongTerm(
    const base::SigV4Request& request, const base::SigV4Authorization& claim) {
  const std::shared_ptr<const identity::Directory> directory =
      directory_.current();
  const identity::Credentials& credentials = directory->credentials();
  const identity::AccessKey* key = credentials.Find(claim.access_key_id);
  if (key == nullptr) {
    return Unrecognized();
  }
  RETURN_IF_ERROR(
      verifier_.Check(request, claim, *key->secret, credentials.generation()));
  return Identity{.caller = key->caller, .region = claim.region};
}

base::Result<Identity> Authenticator::CheckSession(
    const base::SigV4Request& request, const base::SigV4Authorization& claim,
    std::string_view token) {
  const auto found = known_sessions_.find(std::string(token));
  if (found == known_sessions_.end() ||
      found->second.session->access_key_id != claim.access_key_id) {
    return Unrecognized();
  }
  KnownSession& known = found->second;
  const std::shared_ptr<const identity::Directory> directory =
      directory_.current();
  RETURN_IF_ERROR(verifier_.Check(request, claim, known.session->secret));
  if (known.session->expires <= clock_.Now()) {
    return base::Error{base::ErrorCode::kExpiredToken,
                       "The security token included in the request is expired"};
  }
  if (callers_of_ != directory) {
    // Nothing of a directory that is past is kept.
    for (auto& [other_token, other] : known_sessions_) {
      other.caller.reset();
    }
    callers_of_ = directory;
  }
  if (known.caller == nullptr) {
    ASSIGN_OR_RETURN(known.caller, directory->SessionCaller(*known.session));
  }
  return Identity{.caller = known.caller, .region = claim.region};
}

base::Result<std::shared_ptr<const Caller>> Authenticator::LocalCaller(
    uid_t uid) const {
  if (uid == 0 || uid == local_.own_uid) {
    Caller administrator = identity::Administrator(local_.account);
    administrator.administrator = true;
    return std::make_shared<const Caller>(std::move(administrator));
  }
  const std::shared_ptr<const identity::Directory> directory =
      directory_.current();
  const std::string name = "uid-" + std::to_string(uid);
  const auto local =
      std::ranges::find(local_.principals, uid, &LocalPrincipal::uid);
  if (local == local_.principals.end()) {
    auto user = directory->UserCaller(local_.account, name);
    if (user == nullptr) {
      return NobodyIs("process's uid", "user " + name,
                      "make that user, or map the uid in [peer_principals]");
    }
    return user;
  }
  if (!local->principal.starts_with("arn:")) {
    return std::make_shared<const Caller>(
        identity::Service(local_.account, local->principal));
  }
  auto caller =
      directory->PrincipalCaller(local->principal, name, clock_.Now());
  if (caller == nullptr) {
    return NobodyIs("process's uid", local->principal,
                    "make that user or role, or map the uid to another in "
                    "[peer_principals]");
  }
  return caller;
}

base::Result<std::string_view> Authenticator::RegionOf(
    const HttpRequest& request) const {
  const std::string_view region =
      request.Header("x-claviger-region").value_or(local_.default_region);
  if (!base::IsRegionName(region)) {
    return base::Error{base::ErrorCode::kValidation,
                       "X-Claviger-Region must be the name of a Region, such "
                       "as us-east-1"};
  }
  return region;
}

base::Result<Identity> Authenticator::TrustKernel(const HttpRequest& request,
                                                  const UnixPeer& peer) const {
  ASSIGN_OR_RETURN(const std::string_view region, RegionOf(request));
  ASSIGN_OR_RETURN(std::shared_ptr<const Caller> caller, LocalCaller(peer.uid));
  return Identity{.caller = std::move(caller), .region = region};
}

base::Result<Identity> Authenticator::TrustCertificate(
    const HttpRequest& request, const PeerCertificate& certificate) const {
  const auto row = local_.certificates.find(certificate.sha256);
  const std::string fingerprint = base::HexEncode(certificate.sha256);
  if (row == local_.certificates.end()) {
    return base::Error{base::ErrorCode::kMissingAuthentication,
                       "Missing Authentication Token: the client certificate "
                       "with the fingerprint " +
                           fingerprint + " is not in [certificate_principals]"};
  }
  // A browser sends it on POST, whatever page the request comes from.
  if (request.Header("origin")) {
    return base::Error{base::ErrorCode::kMissingAuthentication,
                       "Missing Authentication Token: a client certificate "
                       "does not count for a request with the header Origin; "
                       "sign it"};
  }
  RETURN_IF_ERROR(CheckDates(certificate, row->second, clock_.Now()));
  ASSIGN_OR_RETURN(const std::string_view region, RegionOf(request));
  auto caller = directory_.current()->PrincipalCaller(
      row->second, "cert-" + fingerprint.substr(0, kSessionDigits),
      clock_.Now());
  if (caller == nullptr) {
    return NobodyIs("client certificate", row->second,
                    "make that user or role, or name another in "
                    "[certificate_principals]");
  }
  return Identity{.caller = std::move(caller), .region = region};
}

}  // namespace kms::http
