// SPDX-License-Identifier: Apache-2.0
#include "tools/claviger/explain_replies.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/claviger/explanation.h"

namespace tools::claviger {
namespace {

using base::Error;
using base::ErrorCode;
using base::Json;

Error NoReply(std::string_view operation) {
  return {ErrorCode::kSerialization,
          fmt::format("this is no reply of {}", operation)};
}

const Json* ListOf(const Json& object, const char* name) {
  if (!object.is_object()) {
    return nullptr;
  }
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? &*found : nullptr;
}

// Empty if it is not there.
std::string TextOf(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string()
             ? Visible(base::TextOf(*found))
             : std::string();
}

bool IsTrue(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

bool IsFalse(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && !found->get<bool>();
}

// 0 if it is not there.
std::int64_t CountOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer()
             ? found->get<std::int64_t>()
             : 0;
}

// "Allow (resource-based policy, statement "S")"
std::string DecisionText(std::string_view verdict, std::string_view layer,
                         std::string_view sid) {
  std::string text(verdict);
  if (!layer.empty()) {
    text += fmt::format(" ({}{})", layer,
                        sid.empty() ? "" : fmt::format(" \"{}\"", sid));
  }
  return text;
}

std::string AnswerText(const Json& change, const char* name) {
  const auto found = change.is_object() ? change.find(name) : change.end();
  if (found == change.end()) {
    return "?";
  }
  return DecisionText(TextOf(*found, "Verdict"), TextOf(*found, "Layer"),
                      TextOf(*found, "Sid"));
}

std::string EventHead(const Json& reply) {
  std::string text =
      fmt::format("Event {}: {} at {}.\n", TextOf(reply, "EventId"),
                  TextOf(reply, "EventName"), TextOf(reply, "EventTime"));
  const auto recorded = reply.find("Recorded");
  if (recorded != reply.end()) {
    text += fmt::format(
        "Recorded: {}.\n",
        DecisionText(TextOf(*recorded, "verdict"), TextOf(*recorded, "layer"),
                     TextOf(*recorded, "sid")));
  }
  if (IsTrue(reply, "Differs")) {
    text += "By the policies of now it is decided otherwise:\n";
  } else if (IsFalse(reply, "Differs")) {
    text += "By the policies of now it is decided alike:\n";
  }
  return text;
}

// Units of --since, in seconds.
struct Unit {
  char letter;
  std::int64_t seconds;
};
constexpr std::array kUnits = {Unit{'d', 86400}, Unit{'h', 3600}, Unit{'m', 60},
                               Unit{'s', 1}};

}  // namespace

base::Result<std::string> RenderEvent(const Json& reply) {
  const Json* const checks = ListOf(reply, "Checks");
  const Json* const notes = ListOf(reply, "Notes");
  if (checks == nullptr || notes == nullptr) {
    return NoReply("Claviger.Explain");
  }
  std::string text = EventHead(reply);
  for (const Json& note : *notes) {
    text += fmt::format("Note: {}\n",
                        Visible(note.is_string() ? base::TextOf(note) : "?"));
  }
  for (const Json& check : *checks) {
    ASSIGN_OR_RETURN(const std::string explanation, RenderExplanation(check));
    text.append("\n").append(explanation);
  }
  return text;
}

base::Result<std::string> RenderWhoCan(const Json& reply) {
  const Json* const principals = ListOf(reply, "Principals");
  if (principals == nullptr) {
    return NoReply("Claviger.WhoCan");
  }
  std::string text;
  for (const Json& principal : *principals) {
    text += fmt::format("{:<5} {}  {}", TextOf(principal, "Can"),
                        TextOf(principal, "Principal"),
                        DecisionText("by", TextOf(principal, "Layer"),
                                     TextOf(principal, "Sid")));
    const Json* const keys = ListOf(principal, "DependsOn");
    std::string_view joint = "  depends on ";
    for (const Json& key : keys == nullptr ? Json::array() : *keys) {
      text.append(joint).append(
          Visible(key.is_string() ? base::TextOf(key) : "?"));
      joint = ", ";
    }
    text += "\n";
  }
  if (IsFalse(reply, "AllGrants")) {
    text += "Only the first grants on the key were looked at.\n";
  }
  if (IsFalse(reply, "AllAccounts")) {
    text +=
        "Users and roles of other accounts were not looked at: that is the "
        "operator's, on the Unix socket.\n";
  }
  return text;
}

base::Result<std::string> RenderReplay(const Json& reply) {
  const Json* const changes = ListOf(reply, "Changes");
  if (changes == nullptr) {
    return NoReply("Claviger.ReplayPolicy");
  }
  std::string text;
  for (const Json& change : *changes) {
    text +=
        fmt::format("{} {} {} {}\n  {} becomes {}\n",
                    TextOf(change, "EventTime"), TextOf(change, "EventId"),
                    TextOf(change, "Principal"), TextOf(change, "Action"),
                    AnswerText(change, "Before"), AnswerText(change, "After"));
  }
  text += fmt::format("{} of {} requests would be answered otherwise.\n",
                      CountOf(reply, "Changed"), CountOf(reply, "Examined"));
  const auto add = [&](const char* name, std::string_view what) {
    if (const std::int64_t count = CountOf(reply, name); count > 0) {
      text += fmt::format("{} {}\n", count, what);
    }
  };
  add("AlreadyDifferent",
      "of them are answered otherwise already, for other reasons.");
  add("OfOtherAccounts", "requests of other accounts were not looked at.");
  add("NotDecidable", "requests cannot be decided again from their records.");
  return text;
}

base::Result<Json> ContextOf(const std::vector<std::string>& pairs) {
  Json context = Json::object();
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::kInvalidArgument,
                   "--context takes KEY=VALUE, not '" + pair + "'"};
    }
    const base::WipingString value(std::string_view(pair).substr(equals + 1));
    Json& member =
        context[base::WipingString(std::string_view(pair).substr(0, equals))];
    if (member.is_null()) {
      member = value;
    } else if (member.is_string()) {
      member = Json::array({member, value});
    } else {
      member.push_back(value);
    }
  }
  return context;
}

base::Result<std::int64_t> ParseSince(std::string_view text, std::int64_t now) {
  const Error bad = {ErrorCode::kInvalidArgument,
                     fmt::format("--since takes a time such as 30d, 12h or "
                                 "seconds since 1970, not '{}'",
                                 text)};
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number < 0) {
    return bad;
  }
  const std::string_view rest(stopped, static_cast<std::size_t>(end - stopped));
  if (rest.empty()) {
    return number;
  }
  const auto* const unit =
      std::ranges::find(kUnits, rest.front(), &Unit::letter);
  if (rest.size() != 1 || unit == kUnits.end() ||
      number > now / unit->seconds) {
    return bad;
  }
  return now - number * unit->seconds;
}

}  // namespace tools::claviger
