// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_API_DOOR_H_
#define KMS_HTTP_API_DOOR_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "kms/http/authenticator.h"
#include "kms/http/log_limit.h"
#include "kms/http/message.h"
#include "kms/http/metrics.h"
#include "kms/service.h"

namespace kms::http {

// An ApiDoor is what the protocols of the API (aws_json.h, query.h) have in
// common: each reads from a request what it asks for, and writes what comes
// back. In between, an ApiDoor bounds how many are being answered, whatever
// their protocol, authenticates, has the Service answer, and counts and logs.
//
// Requests that cannot be authenticated are counted and logged, at a bounded
// rate; they never reach the Service or its audit log.
//
// It belongs to one io thread. A request borrows from it until answered.
class ApiDoor {
 public:
  struct Options {
    LocalIdentity local;
    // More at a time get ThrottlingException.
    std::size_t most_in_flight = 512;
  };

  // What a request asks for, in the words of its protocol. Borrows.
  struct Target {
    std::string_view service;  // As in kms::Request.
    std::string_view operation;
    std::string_view signing_name;  // What signatures must be for: "kms".
    std::string_view product;       // The same in texts for people: "KMS".
    BodyForm body_form = BodyForm::kJson;
    // Nobody signs it: something in it will say who asks.
    bool is_anonymous = false;
    // What is wrong with the rest of the request, for those who may ask.
    base::Status form;
  };

  struct Outcome {
    std::string request_id;
    base::Result<Reply> reply;
  };

  // All references are borrowed.
  ApiDoor(Service& service, const identity::DirectorySource& directory,
          identity::SessionOpener& sessions, Metrics& metrics,
          const base::Clock& clock, Options options);

  // Answers `request`, which asks for `target`, or names nothing that could be
  // asked for. Both are borrowed until it returns.
  boost::asio::awaitable<Outcome> Handle(const HttpRequest& request,
                                         const base::Result<Target>& target);

 private:
  class InFlight;

  boost::asio::awaitable<base::Result<Reply>> Call(const HttpRequest& request,
                                                   const Target& target,
                                                   std::string_view request_id);
  base::Status CheckLoad(const Target& target) const;
  base::Result<Identity> Authenticate(const HttpRequest& request,
                                      const Target& target);
  void NoteFailure(const HttpRequest& request, const base::Error& error);
  void Note(const Outcome& outcome, std::string_view operation,
            base::MonotonicTime duration);

  Service& service_;
  Metrics& metrics_;
  const base::Clock& clock_;
  const std::size_t most_in_flight_;
  Authenticator authenticator_;
  LogLimit log_limit_;
  std::size_t in_flight_ = 0;
};

// The value of a header that may come once, "" without one. Fails with
// kSerialization if it comes twice.
base::Result<std::string_view> OnlyHeader(const HttpRequest& request,
                                          std::string_view name);

// Whether a Content-Type, whatever its parameters, is `type`, in lower case.
bool IsMediaType(std::string_view content_type, std::string_view type);

}  // namespace kms::http

#endif  // KMS_HTTP_API_DOOR_H_
