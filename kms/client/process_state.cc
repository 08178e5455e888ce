// SPDX-License-Identifier: Apache-2.0
#include "kms/client/process_state.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "kms/client/request.h"
#include "kms/client/socket.h"

namespace kms::client {

base::Result<std::unique_ptr<ProcessState>> ProcessState::Create(
    const Settings& settings,
    std::optional<base::SigV4Credentials> credentials) {
  ASSIGN_OR_RETURN(LibraryContext library, LibraryContext::Create());
  std::optional<TlsContext> tls;
  if (settings.options.endpoint.transport == Transport::kHttps) {
    ASSIGN_OR_RETURN(tls, TlsContext::Create(library, settings.authorities));
  }
  return std::unique_ptr<ProcessState>(new ProcessState(
      settings, std::move(library), std::move(tls), std::move(credentials)));
}

ProcessState::ProcessState(const Settings& settings, LibraryContext library,
                           std::optional<TlsContext> tls,
                           std::optional<base::SigV4Credentials> credentials)
    : settings_(settings),
      owner_(getpid()),
      library_(std::move(library)),
      tls_(std::move(tls)),
      hasher_(library_.get()),
      pool_(settings.clock, settings.options.max_idle_connections,
            settings.options.idle_timeout) {
  if (credentials.has_value()) {
    credentials_.emplace(*std::move(credentials),
                         settings.options.credential_files);
  }
}

bool ProcessState::IsOurs() const { return owner_.load() == getpid(); }

std::optional<base::SigV4Credentials> ProcessState::CredentialsAfterFork()
    const {
  std::optional<base::SigV4Credentials> copy;
  if (credentials_.has_value()) {
    copy.emplace(credentials_->CopyAfterFork());
  }
  return copy;
}

CredentialCache::Snapshot ProcessState::Credentials() {
  return credentials_.has_value() ? credentials_->Current() : nullptr;
}

bool ProcessState::Renew(const CredentialCache::Snapshot& used) {
  return credentials_.has_value() && credentials_->Renew(used);
}

base::Result<base::WipingString> ProcessState::Request(
    std::string_view operation, std::string_view body,
    const CredentialCache::Snapshot& credentials) {
  const base::WallTime now = settings_.clock.Now();
  if (credentials == nullptr) {  // Nothing is hashed, then.
    return CallRequest(settings_.options, operation, body,
                       {nullptr, hasher_, now});
  }
  const std::lock_guard lock(signing_);
  if (signer_of_ != credentials) {
    signer_.emplace(hasher_, CopyOf(*credentials), settings_.options.region,
                    "kms");
    signer_of_ = credentials;
  }
  return CallRequest(settings_.options, operation, body,
                     {&*signer_, hasher_, now});
}

base::Result<std::unique_ptr<Stream>> ProcessState::Connect(
    const Deadline& deadline) {
  const Options& options = settings_.options;
  const Deadline soon(
      settings_.clock,
      std::min(options.connect_timeout,
               std::chrono::milliseconds(deadline.PollTimeout())));
  ASSIGN_OR_RETURN(Socket socket,
                   Socket::Connect(options.endpoint, soon, descriptors_));
  if (tls_.has_value()) {
    return tls_->Connect(std::move(socket), options.endpoint.host, soon);
  }
  return std::unique_ptr<Stream>(std::make_unique<Socket>(std::move(socket)));
}

}  // namespace kms::client
