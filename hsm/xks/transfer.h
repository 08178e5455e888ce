// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_XKS_TRANSFER_H_
#define HSM_XKS_TRANSFER_H_

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/wiping.h"
#include "hsm/messages.h"
#include "hsm/xks/addresses.h"
#include "hsm/xks/reply.h"
#include "hsm/xks/settings.h"
#include "hsm/xks/signed_request.h"

namespace hsm::xks {

struct FreeCurl {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, FreeCurl>;

// Appends a copy of `text`.
void Append(CurlList& list, const std::string& text);

// What all transfers of a worker have in common.
struct Surroundings {
  Settings settings;
  AddressRules rules;
  CurlList connect_to;
};

// A Transfer is one request on its way to a proxy, as an easy handle of
// libcurl. Not synchronised, and not to be moved: libcurl has its address.
class Transfer {
 public:
  using Done = std::function<void(base::Result<XksReply>)>;

  // `surroundings` is borrowed. Fails with kInternal if libcurl does not know
  // one of the options that make a connection safe.
  static base::Result<std::unique_ptr<Transfer>> Make(
      const Surroundings& surroundings, SignedRequest request, Sent sent,
      std::string proxy, Done done);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* easy() const { return easy_.get(); }
  const std::string& proxy() const { return proxy_; }

  // What became of it, when libcurl has said `code`. Call once. Fails with kIo
  // if it has not left this host.
  base::Result<XksReply> Finish(CURLcode code);
  void Tell(base::Result<XksReply> reply) const { done_(std::move(reply)); }

 private:
  Transfer(const Surroundings& surroundings, SignedRequest request, Sent sent,
           std::string proxy, Done done);

  template <typename Value>
  Transfer& Set(CURLoption option, Value value);
  void SetRequest();
  void SetTransport();
  void SetTls();

  static std::size_t OnBody(char* bytes, std::size_t size, std::size_t count,
                            void* transfer);
  static std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count,
                              void* transfer);
  static curl_socket_t OpenSocket(void* transfer, curlsocktype purpose,
                                  curl_sockaddr* address);
  void NoteCertificate();
  XksReply ReplyWithout(CURLcode code) const;
  bool HasStayedHere(CURLcode code) const;

  const Surroundings& surroundings_;
  const SignedRequest request_;
  const Sent sent_;
  const std::string proxy_;
  const Done done_;

  bool ok_ = true;  // libcurl took every option.
  CurlList headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  base::WipingString body_;
  std::size_t head_size_ = 0;
  bool too_long_ = false;
  bool forbidden_ = false;  // An address was refused.
  int socket_error_ = 0;    // Why there is no socket; an errno.
  int addresses_tried_ = 0;
  std::uint64_t certificate_not_after_ = 0;
  std::unique_ptr<CURL, FreeCurl> easy_;  // Last: it goes first.
};

}  // namespace hsm::xks

#endif  // HSM_XKS_TRANSFER_H_
