// SPDX-License-Identifier: Apache-2.0
#include "hsm/xks/transport.h"

#include <stdlib.h>

#include <cerrno>
#include <utility>

#include "hsm/socket.h"

namespace hsm::xks {
namespace {

constexpr long kKeptConnections = 256;
// libcurl itself knows when a transfer needs attention earlier.
constexpr int kLongestWaitMs = 10'000;

XksReply ReplyOf(XksOutcome outcome, std::string message) {
  XksReply reply;
  reply.outcome = outcome;
  reply.message = std::move(message);
  return reply;
}

// By whom rates and time-outs are told apart: who has another credential does
// not use up what is somebody else's.
std::string NameOf(const XksProxy& proxy) {
  return std::string(proxy.endpoint)
      .append(proxy.path)
      .append(" ")
      .append(proxy.access_key_id);
}

CurlList ConnectToList(const Settings& settings) {
  CurlList list;
  for (const ConnectTo& to : settings.connect_to) {
    Append(list, to.text);
  }
  return list;
}

short EventsOf(short events) {
  return static_cast<short>(((events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) |
                            ((events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0));
}

}  // namespace

base::Result<std::unique_ptr<Transport>> Transport::Create(
    Settings settings, const base::Clock& clock) {
  RETURN_IF_ERROR(CheckTlsFiles(settings));
  // Debian's libcurl would write the keys of its connections there.
  unsetenv("SSLKEYLOGFILE");
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return base::Error{base::ErrorCode::kInternal, "cannot start libcurl"};
  }
  return std::unique_ptr<Transport>(new Transport(std::move(settings), clock));
}

Transport::Transport(Settings settings, const base::Clock& clock)
    : surroundings_{settings,
                    AddressRules(settings.allow_networks, settings.connect_to),
                    ConnectToList(settings)},
      clock_(clock),
      gate_(settings.requests_per_second, clock),
      multi_(curl_multi_init()) {
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kKeptConnections);
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING,
                    static_cast<long>(CURLPIPE_NOTHING));
}

Transport::~Transport() {
  for (const auto& [easy, transfer] : transfers_) {
    curl_multi_remove_handle(multi_.get(), easy);
  }
}

base::Result<std::optional<XksReply>> Transport::Refusal(
    const XksRequest& request, const std::string& host) {
  if (!surroundings_.rules.MayName(host)) {
    return std::optional(
        ReplyOf(XksOutcome::kForbidden,
                "an endpoint must be a name, not an address, unless "
                "xks_client.allow_networks has it"));
  }
  if (transfers_.size() >= surroundings_.settings.most_in_flight) {
    return base::Error{base::ErrorCode::kThrottled,
                       "too many requests to XKS proxies are in flight"};
  }
  const std::optional<XksOutcome> refused =
      gate_.Refusal(NameOf(*request.proxy));
  if (!refused) {
    return std::optional<XksReply>();
  }
  // Our own limits are no words of the proxy's.
  if (*refused == XksOutcome::kThrottling) {
    return base::Error{base::ErrorCode::kThrottled,
                       "more requests to this proxy than "
                       "xks_client.requests_per_second"};
  }
  return std::optional(ReplyOf(
      *refused, "not asked: the last requests to this proxy timed out"));
}

base::Result<std::optional<XksReply>> Transport::Ask(const XksRequest& request,
                                                     Done done) {
  ASSIGN_OR_RETURN(SignedRequest signed_request,
                   SignRequest(request, clock_.Now()));
  const std::string host = signed_request.host;
  ASSIGN_OR_RETURN(
      std::unique_ptr<Transfer> transfer,
      Transfer::Make(surroundings_, std::move(signed_request), SentBy(request),
                     NameOf(*request.proxy), std::move(done)));
  ASSIGN_OR_RETURN(std::optional<XksReply> refused, Refusal(request, host));
  if (refused) {
    return refused;
  }
  CURL* const easy = transfer->easy();
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
    gate_.Ended(transfer->proxy(), false);
    return base::Error{base::ErrorCode::kInternal,
                       "libcurl takes no further request"};
  }
  transfers_.emplace(easy, std::move(transfer));
  return std::optional<XksReply>();
}

base::Status Transport::Wait(std::vector<pollfd>& others) {
  waited_.clear();
  waited_.reserve(others.size());
  for (const pollfd& other : others) {
    waited_.push_back({other.fd, EventsOf(other.events), 0});
  }
  if (curl_multi_poll(multi_.get(), waited_.data(),
                      static_cast<unsigned>(waited_.size()), kLongestWaitMs,
                      nullptr) != CURLM_OK) {
    return base::Error{base::ErrorCode::kIo, "curl_multi_poll failed"};
  }
  // libcurl does not tell who has hung up.
  while (poll(others.data(), others.size(), 0) < 0) {
    if (errno != EINTR) {
      return ErrnoError("poll");
    }
  }
  return {};
}

void Transport::Advance() {
  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  int left = 0;
  while (const CURLMsg* const message =
             curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) {
      Complete(message->easy_handle, message->data.result);
    }
  }
}

void Transport::Complete(CURL* easy, CURLcode code) {
  const auto found = transfers_.find(easy);
  const std::unique_ptr<Transfer> transfer = std::move(found->second);
  transfers_.erase(found);
  base::Result<XksReply> reply = transfer->Finish(code);
  curl_multi_remove_handle(multi_.get(), easy);
  gate_.Ended(transfer->proxy(), code == CURLE_OPERATION_TIMEDOUT);
  transfer->Tell(std::move(reply));
}

}  // namespace hsm::xks
