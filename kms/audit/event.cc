// SPDX-License-Identifier: Apache-2.0
#include "kms/audit/event.h"

#include "kms/audit/json_text.h"
#include "kms/audit/text_buffer.h"

namespace kms::audit {
namespace {

// Limits in bytes, as CloudTrail has them: a client must not be able to make an
// event that the log cannot take. All of them together stay below
// Log::kMaxEventBytes, also where every byte needs an escape of six.
constexpr std::size_t kMaxField = 1 << 10;     // Cut off,
constexpr std::size_t kMaxEscaped = 2 << 10;   // also when it is written.
constexpr std::size_t kMaxRequest = 70 << 10;  // The rest: left out.
constexpr std::size_t kMaxResponse = 8 << 10;
constexpr std::size_t kMaxDecision = 8 << 10;
constexpr std::size_t kMaxContext = 28 << 10;
constexpr std::size_t kMaxChecks = 8 << 10;

// An ObjectWriter appends one JSON object: braces around its lifetime, commas
// between members. Names are ours (no escaping) but for ForeignName.
class ObjectWriter {
 public:
  explicit ObjectWriter(TextBuffer& out) : out_(out) { out_.Add('{'); }
  ~ObjectWriter() { out_.Add('}'); }
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  void Name(std::string_view name) {
    Comma();
    out_.Add('"');
    out_.Add(name);
    out_.Add("\":");
  }
  void ForeignName(std::string_view name) {
    Comma();
    AppendJsonString(name, out_);
    out_.Add(':');
  }
  void Add(std::string_view name, std::string_view value) {
    Name(name);
    const std::size_t start = out_.size();
    AppendJsonString(value.substr(0, kMaxField), out_);
    if (out_.size() - start > kMaxEscaped) {
      out_.CutTo(start);
      AppendJsonString(value.substr(0, kMaxEscaped / 6), out_);
    }
  }
  void AddUnlessEmpty(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      Add(name, value);
    }
  }
  void AddBool(std::string_view name, bool value) {
    Name(name);
    out_.Add(value ? "true" : "false");
  }
  void AddMembers(std::string_view name, Members members, std::size_t limit);

 private:
  void Comma() {
    if (!first_) {
      out_.Add(',');
    }
    first_ = false;
  }

  TextBuffer& out_;
  bool first_ = true;
};

void AppendObject(Members members, TextBuffer& out) {
  ObjectWriter object(out);
  for (const Member& member : members) {
    object.ForeignName(member.name);
    member.value.AppendTo(out);
  }
}

void ObjectWriter::AddMembers(std::string_view name, Members members,
                              std::size_t limit) {
  Name(name);
  if (members.empty()) {
    out_.Add("null");  // As CloudTrail does.
    return;
  }
  const std::size_t start = out_.size();
  AppendObject(members, out_);
  if (out_.size() - start > limit) {
    out_.CutTo(start);
    out_.Add(R"({"omitted":true})");
  }
}

// Appends each kind of Value.
struct ValueAppender {
  TextBuffer& out;

  void operator()(std::string_view text) const { AppendJsonString(text, out); }
  void operator()(bool value) const { out.Add(value ? "true" : "false"); }
  void operator()(std::int64_t value) const { AppendDecimal(value, out); }
  void operator()(std::uint64_t value) const { AppendDecimal(value, out); }
  void operator()(std::span<const StringPair> pairs) const {
    ObjectWriter object(out);
    for (const auto& [name, value] : pairs) {
      object.ForeignName(name);
      AppendJsonString(value, out);
    }
  }
  void operator()(std::span<const std::string_view> items) const {
    out.Add('[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) {
        out.Add(',');
      }
      AppendJsonString(items[i], out);
    }
    out.Add(']');
  }
};

// CloudTrail's sessionContext.
void AppendSession(const Event::Identity& identity, TextBuffer& out) {
  ObjectWriter object(out);
  if (!identity.issuer_arn.empty()) {
    object.Name("sessionIssuer");
    ObjectWriter issuer(out);
    issuer.Add("type", "Role");
    issuer.Add("principalId", identity.issuer_id);
    issuer.Add("arn", identity.issuer_arn);
    issuer.Add("accountId", identity.account_id);
    issuer.Add("userName", identity.issuer_name);
  }
  object.Name("attributes");
  ObjectWriter attributes(out);
  attributes.Name("creationDate");
  out.Add('"');
  AppendTime(identity.session_created, out);
  out.Add(R"(","mfaAuthenticated":"false")");
}

void AppendIdentity(const Event::Identity& identity, TextBuffer& out) {
  ObjectWriter object(out);
  object.Add("type", identity.type);
  object.AddUnlessEmpty("principalId", identity.principal_id);
  object.AddUnlessEmpty("arn", identity.arn);
  object.AddUnlessEmpty("accountId", identity.account_id);
  object.AddUnlessEmpty("accessKeyId", identity.access_key_id);
  object.AddUnlessEmpty("userName", identity.user_name);
  object.AddUnlessEmpty("invokedBy", identity.invoked_by);
  object.AddUnlessEmpty("identityProvider", identity.provider);
  if (identity.session_created != base::WallTime()) {
    object.Name("sessionContext");
    AppendSession(identity, out);
  }
}

void AppendChecks(std::span<const Event::Check> checks, TextBuffer& out) {
  const std::size_t start = out.size();
  out.Add('[');
  for (std::size_t i = 0; i < checks.size(); ++i) {
    if (i > 0) {
      out.Add(',');
    }
    ObjectWriter object(out);
    object.Add("action", checks[i].action);
    object.Add("resource", checks[i].resource);
    object.AddUnlessEmpty("region", checks[i].region);
  }
  out.Add(']');
  if (out.size() - start > kMaxChecks) {
    out.CutTo(start);
    out.Add(R"({"omitted":true})");
  }
}

void AppendAdditional(const Event& event, TextBuffer& out) {
  ObjectWriter object(out);
  object.AddUnlessEmpty("door", event.door);
  if (!event.decision.empty()) {
    object.AddMembers("decision", event.decision, kMaxDecision);
  }
  if (!event.context.empty()) {
    object.AddMembers("context", event.context, kMaxContext);
  }
  if (!event.checks.empty()) {
    object.Name("checks");
    AppendChecks(event.checks, out);
  }
  if (event.session_policies != 0) {
    object.Name("sessionPolicies");
    AppendDecimal(event.session_policies, out);
  }
}

void AppendResources(std::span<const Event::Resource> resources,
                     TextBuffer& out) {
  out.Add('[');
  for (std::size_t i = 0; i < resources.size(); ++i) {
    if (i > 0) {
      out.Add(',');
    }
    ObjectWriter object(out);
    object.Add("accountId", resources[i].account_id);
    object.Add("type", resources[i].type);
    object.Add("ARN", resources[i].arn);
  }
  out.Add(']');
}

void AppendTls(const Event::Tls& tls, TextBuffer& out) {
  ObjectWriter object(out);
  object.Add("tlsVersion", tls.version);
  object.AddUnlessEmpty("cipherSuite", tls.cipher_suite);
  object.AddUnlessEmpty("clientProvidedHostHeader", tls.host);
}

// Who, when, what, from where.
void AppendCall(const Event& event, ObjectWriter& object, TextBuffer& out) {
  object.Add("eventVersion", "1.09");
  object.Name("userIdentity");
  AppendIdentity(event.identity, out);
  object.Name("eventTime");
  out.Add('"');
  AppendTime(event.time, out);
  out.Add('"');
  object.Add("eventSource", event.source);
  object.Add("eventName", event.name);
  object.Add("awsRegion", event.region);
  object.Add("sourceIPAddress", event.source_address);
  object.Add("userAgent", event.user_agent);
}

// How it ended.
void AppendOutcome(const Event& event, ObjectWriter& object, TextBuffer& out) {
  object.AddUnlessEmpty("errorCode", event.error_code);
  object.AddUnlessEmpty("errorMessage", event.error_message);
  object.AddMembers("requestParameters", event.request, kMaxRequest);
  object.AddMembers("responseElements", event.response, kMaxResponse);
  if (!event.door.empty() || !event.decision.empty() ||
      !event.context.empty()) {
    object.Name("additionalEventData");
    AppendAdditional(event, out);
  }
}

}  // namespace

void Value::AppendTo(TextBuffer& out) const {
  std::visit(ValueAppender{out}, value_);
}

std::string EventText(const Event& event) {
  TextBuffer out(TakeSpareText(), 2048);  // Most events fit.
  {
    ObjectWriter object(out);
    AppendCall(event, object, out);
    AppendOutcome(event, object, out);
    object.Add("requestID", event.request_id);
    object.Add("eventID", event.event_id);
    object.AddBool("readOnly", event.read_only);
    object.Name("resources");
    AppendResources(event.resources, out);
    object.Add("eventType", event.type == Event::Type::kAwsApiCall
                                ? "AwsApiCall"
                                : "AwsServiceEvent");
    object.AddBool("managementEvent", true);
    object.Add("recipientAccountId", event.recipient_account);
    if (!event.service_details.empty()) {
      object.AddMembers("serviceEventDetails", event.service_details,
                        kMaxDecision);
    }
    object.Add("eventCategory", "Management");
    if (!event.tls.version.empty()) {
      object.Name("tlsDetails");
      AppendTls(event.tls, out);
    }
    if (event.store_revision != 0) {
      object.Name("storeRevision");
      AppendDecimal(event.store_revision, out);
    }
  }
  return std::move(out).Take();
}

}  // namespace kms::audit
