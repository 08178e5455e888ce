// SPDX-License-Identifier: Apache-2.0
#include "policy/explain.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "policy/context.h"
#include "policy/text.h"

namespace policy {
namespace {

// Writes JSON, a value or a bracket at a time.
class Writer {
 public:
  Writer& Open(char bracket) {
    Separate();
    out_.push_back(bracket);
    first_ = true;
    return *this;
  }
  Writer& Close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
    return *this;
  }
  Writer& Key(std::string_view name) {
    Text(name);
    out_.push_back(':');
    first_ = true;  // No comma before its value.
    return *this;
  }
  Writer& Text(std::string_view text) {
    Separate();
    base::WipingString escaped;
    base::AppendJsonEscaped(text, escaped);
    out_.append("\"").append(escaped).append("\"");
    return *this;
  }
  Writer& Raw(std::string_view token) {
    Separate();
    out_.append(token);
    return *this;
  }
  Writer& Member(std::string_view name, std::string_view text) {
    return Key(name).Text(text);
  }
  Writer& Member(std::string_view name, std::size_t number) {
    return Key(name).Raw(std::to_string(number));
  }
  Writer& Member(std::string_view name,
                 std::span<const std::string_view> texts) {
    Key(name).Open('[');
    for (const std::string_view text : texts) {
      Text(text);
    }
    return Close(']');
  }

  std::string Take() { return std::move(out_); }

 private:
  void Separate() {
    if (!first_) {
      out_.push_back(',');
    }
    first_ = false;
  }

  std::string out_;
  bool first_ = true;
};

void WriteDecision(const Decision& decision, Writer& out) {
  out.Key("decision").Open('{');
  out.Member("verdict", VerdictName(decision.verdict));
  out.Member("layer", decision.layer);
  out.Member("sid", decision.sid);
  out.Member("reason", decision.reason);
  out.Key("policy").Raw(decision.policy < 0 ? "null"
                                            : std::to_string(decision.policy));
  out.Close('}');
}

// The values of one key of the context.
struct Values {
  ContextKey key;
  bool multivalued;
  std::vector<std::string_view> texts;
};

// `names` outlives what is returned.
std::vector<Values> Grouped(std::span<const ContextEntry> context,
                            const std::vector<std::string>& names) {
  std::vector<Values> groups;
  for (std::size_t i = 0; i < context.size(); ++i) {
    const ContextEntry& entry = context[i];
    auto group = std::ranges::find_if(
        groups, [&](const Values& known) { return known.key.Names(entry); });
    if (group == groups.end()) {
      const ContextKey key(names[i]);
      group = groups.insert(groups.end(), {key, key.multivalued, {}});
    }
    group->multivalued |= entry.multivalued || !group->texts.empty();
    group->texts.push_back(entry.value);
  }
  return groups;
}

void WriteContext(std::span<const ContextEntry> context, Writer& out) {
  std::vector<std::string> names;
  names.reserve(context.size());
  for (const ContextEntry& entry : context) {
    names.push_back(std::string(entry.key).append(entry.suffix));
  }
  out.Key("context").Open('{');
  for (const Values& group : Grouped(context, names)) {
    if (group.multivalued) {
      out.Member(group.key.spelling, group.texts);
    } else {
      out.Member(group.key.spelling, group.texts.front());
    }
  }
  out.Close('}');
}

void WriteRequest(const Request& request, Writer& out) {
  out.Key("request").Open('{');
  out.Member("action", request.action);
  out.Member("resource", request.resource);
  out.Member("principal", request.principal);
  out.Member("principalAccount", request.principal_account);
  WriteContext(request.context, out);
  out.Close('}');
}

void WriteStatement(const StatementTrace& statement, Writer& out) {
  out.Open('{');
  out.Member("layer", LayerName(statement.layer));
  out.Member("policy", statement.policy);
  out.Member("statement", statement.index);
  out.Member("sid", statement.sid);
  out.Member("effect", statement.effect == Effect::kDeny ? "Deny" : "Allow");
  out.Member("outcome", OutcomeName(statement.outcome));
  if (const Condition* const condition = statement.condition) {
    out.Key("condition").Open('{');
    out.Member("operator", condition->operator_name());
    out.Member("key", condition->key());
    out.Member("values", condition->values());
    out.Member("actual", statement.actual);
    out.Close('}');
  }
  out.Close('}');
}

}  // namespace

std::string ExplainJson(const Request& request, const Decision& decision,
                        const Trace& trace) {
  Writer out;
  out.Open('{');
  WriteDecision(decision, out);
  WriteRequest(request, out);
  out.Key("statements").Open('[');
  for (const StatementTrace& statement : trace.statements) {
    WriteStatement(statement, out);
  }
  out.Close(']').Key("grants").Open('[');
  for (const GrantTrace& grant : trace.grants) {
    out.Open('{').Member("id", grant.id);
    out.Member("outcome", OutcomeName(grant.outcome)).Close('}');
  }
  return out.Close(']').Close('}').Take();
}

}  // namespace policy
