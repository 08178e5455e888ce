// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_AUDIT_EVENT_H_
#define KMS_AUDIT_EVENT_H_

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/clock.h"

namespace kms::audit {

class TextBuffer;

using StringPair = std::pair<std::string_view, std::string_view>;

// A Value is a JSON value of an Event that borrows what it points to: a string,
// an integer, a boolean, an object of strings, or an array of strings.
class Value {
 public:
  // NOLINTBEGIN(google-explicit-constructor): values are written in tables.
  Value(std::string_view text) : value_(text) {}
  Value(const std::string& text) : value_(std::string_view(text)) {}
  Value(const char* text) : value_(std::string_view(text)) {}
  Value(bool value) : value_(value) {}
  Value(std::signed_integral auto value)
      : value_(static_cast<std::int64_t>(value)) {}
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) Value(T value)
      : value_(static_cast<std::uint64_t>(value)) {}
  Value(std::span<const StringPair> pairs) : value_(pairs) {}
  Value(std::span<const std::string_view> items) : value_(items) {}
  // NOLINTEND(google-explicit-constructor)

  void AppendTo(TextBuffer& out) const;

 private:
  std::variant<std::string_view, bool, std::int64_t, std::uint64_t,
               std::span<const StringPair>, std::span<const std::string_view>>
      value_;
};

struct Member {
  std::string_view name;
  Value value;
};
using Members = std::span<const Member>;

// An Event is one CloudTrail event, about to be written: all it holds are views
// that must outlive the call of EventText. Empty optional members are left out.
//
// Nothing here chooses what may be recorded: whoever fills it passes the
// members of the request and the response that the operation's table allows,
// never plaintext, ciphertext or secrets.
struct Event {
  enum class Type : std::uint8_t { kAwsApiCall, kAwsServiceEvent };

  // CloudTrail's userIdentity.
  struct Identity {
    std::string_view type;  // Root, IAMUser, AssumedRole, WebIdentityUser,
                            // AWSService.
    std::string_view principal_id;
    std::string_view arn;
    std::string_view account_id;
    std::string_view access_key_id;  // Optional.
    std::string_view user_name;      // Optional.
    std::string_view invoked_by;     // Optional: the service, for AWSService.
    // Of AssumedRole: the role's ARN, and its name in user_name's stead.
    std::string_view issuer_arn;
    std::string_view issuer_id;
    std::string_view issuer_name;
    std::string_view provider;         // Of WebIdentityUser: ARN or issuer.
    base::WallTime session_created{};  // Of temporary credentials; else 0.
  };
  struct Resource {
    std::string_view account_id;
    std::string_view arn;
    std::string_view type = "AWS::KMS::Key";
  };
  // One thing that had to be allowed.
  struct Check {
    std::string_view action;
    std::string_view resource;
    std::string_view region;  // Optional: where, if not in the event's Region.
  };
  struct Tls {
    std::string_view version;
    std::string_view cipher_suite;
    std::string_view host;  // clientProvidedHostHeader
  };

  Type type = Type::kAwsApiCall;
  Identity identity;
  base::WallTime time{};
  std::string_view source = "kms.amazonaws.com";
  std::string_view name;  // Of the operation.
  std::string_view region;
  std::string_view source_address;
  std::string_view user_agent;
  std::string_view error_code;     // Optional.
  std::string_view error_message;  // Optional.
  Members request;                 // requestParameters; null if empty.
  Members response;                // responseElements; null if empty.
  Members decision;  // Verdict, layer, statement id: additionalEventData.
  Members context;   // The condition keys that were evaluated: the same.
  std::span<const Check> checks;       // The same. Optional.
  std::uint64_t session_policies = 0;  // The same. How many the caller's
                                       // session has; 0 is left out.
  std::string_view door;               // https, unix, xks: the same. Optional.
  std::string_view request_id;
  std::string_view event_id;  // UUID text.
  bool read_only = true;
  std::span<const Resource> resources;
  std::string_view recipient_account;
  Members service_details;           // serviceEventDetails; out if empty.
  Tls tls;                           // Left out if version is empty.
  std::uint64_t store_revision = 0;  // That the mutation committed as; 0: none.
};

// The event as one line of JSON without a line break, for Log::Append and for
// the outbox. It is never larger than a log takes: fields are cut at 1 KiB, and
// requestParameters and the like that are too large become {"omitted":true}.
// "storeRevision", if present, is its last member: the log relies on that
// (docs/protocol/audit.md).
std::string EventText(const Event& event);

}  // namespace kms::audit

#endif  // KMS_AUDIT_EVENT_H_
