// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FAKES_XKS_PROXY_H_
#define TESTS_FAKES_XKS_PROXY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/testlib/authority.h"

namespace fakes {

// A request as it was on the wire.
struct ProxyRequest {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The value of the header `name` (in lower case); empty if there is none.
  std::string Header(std::string_view name) const;
};

// What is sent in answer, to the byte.
struct ProxyAnswer {
  std::string bytes;
  bool close = false;  // The connection ends after them.
};

// "HTTP/1.1 STATUS ..." with this body; a body of an error of the XKS API.
ProxyAnswer HttpAnswer(int status, const std::string& body,
                       const std::string& more_headers = "");
ProxyAnswer ErrorAnswer(int status, const std::string& name,
                        const std::string& message = "");

// What an honest proxy would answer. Its ciphertext is the plaintext with
// every bit flipped; of each answer, `change` may spoil the members.
std::string HonestBody(
    const ProxyRequest& request,
    const std::vector<std::pair<std::string, std::string>>& changes = {});
ProxyAnswer Honest(const ProxyRequest& request);

// An XksProxy is a TLS server on a free port of 127.0.0.1 that answers what a
// test tells it to, in a thread for each connection. It ends with the object:
// an answer that is waited for must have come by then.
class XksProxy {
 public:
  using AnswerFn = std::function<ProxyAnswer(const ProxyRequest&)>;

  // With `client_authority` (PEM), clients must show a certificate of it.
  XksProxy(const testlib::Identity& identity, AnswerFn answer,
           const std::string& client_authority = "");
  ~XksProxy();
  XksProxy(const XksProxy&) = delete;
  XksProxy& operator=(const XksProxy&) = delete;

  std::uint16_t port() const;
  std::vector<ProxyRequest> requests() const;  // That came whole.
  int connections() const;                     // That were accepted.

  // Connections that are accepted from now on show this one.
  void Change(const testlib::Identity& identity);
  // Ends the connections there are.
  void DropConnections();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace fakes

#endif  // TESTS_FAKES_XKS_PROXY_H_
