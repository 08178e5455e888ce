// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/module/settings_members.h"

#include <array>
#include <utility>

namespace pkcs11::module {
namespace {

constexpr std::size_t kMaxLabelBytes = 32;  // Of CK_TOKEN_INFO.
constexpr std::string_view kFilePrefix = "file:";
constexpr std::string_view kAliasPrefix = "alias/";

// Where a member's value goes: in an `Into`, or in the options of a token.
template <auto kMember>
auto& In(TokenSettings& settings) requires requires {
  settings.options.*kMember;
}
{ return settings.options.*kMember; }
template <auto kMember, typename Into>
auto& In(Into& into) requires requires {
  into.*kMember;
}
{ return into.*kMember; }

// Null if it is no text or an empty one.
const std::string* TextOf(const toml::node& value) {
  const auto* const text = value.as_string();
  return text == nullptr || text->get().empty() ? nullptr : &text->get();
}

template <auto kMember>
bool ReadText(const toml::node& value, auto& into) {
  const std::string* const text = TextOf(value);
  if (text != nullptr) {
    In<kMember>(into) = *text;
  }
  return text != nullptr;
}

// What a host takes for its working folder is not for us to guess.
template <auto kMember>
bool ReadPath(const toml::node& value, auto& into) {
  return ReadText<kMember>(value, into) && In<kMember>(into).front() == '/';
}

template <auto kMember>
bool ReadBool(const toml::node& value, auto& into) {
  const auto* const flag = value.as_boolean();
  if (flag != nullptr) {
    In<kMember>(into) = flag->get();
  }
  return flag != nullptr;
}

template <auto kMember, std::int64_t kLeast, std::int64_t kMost>
bool ReadNumber(const toml::node& value, auto& into) {
  const auto* const number = value.as_integer();
  if (number == nullptr || number->get() < kLeast || number->get() > kMost) {
    return false;
  }
  auto& member = In<kMember>(into);
  member = std::remove_reference_t<decltype(member)>(number->get());
  return true;
}

// The words for the values of an enumeration.
template <typename Enum>
using Words = std::initializer_list<std::pair<std::string_view, Enum>>;

template <typename Enum, typename Target>
bool Choose(const toml::node& value, const Words<Enum>& words, Target& target) {
  const std::string* const text = TextOf(value);
  for (const auto& [word, meaning] : words) {
    if (text != nullptr && *text == word) {
      target = meaning;
      return true;
    }
  }
  return false;
}

// The path of "file:/path"; empty for another text.
std::string FileOf(const toml::node& value) {
  const std::string* const text = TextOf(value);
  if (text == nullptr || !text->starts_with("file:/")) {
    return "";
  }
  return text->substr(kFilePrefix.size());
}

bool ReadLog(const toml::node& value, Settings& into) {
  into.log.file = FileOf(value);
  if (!into.log.file.empty()) {
    into.log.target = LogTarget::kFile;
    return true;
  }
  return Choose<LogTarget>(
      value,
      {{"stderr", LogTarget::kStandardError}, {"syslog", LogTarget::kSyslog}},
      into.log.target);
}

bool ReadLogLevel(const toml::node& value, Settings& into) {
  return Choose<LogLevel>(value,
                          {{"error", LogLevel::kError},
                           {"warn", LogLevel::kWarning},
                           {"info", LogLevel::kInfo},
                           {"debug", LogLevel::kDebug}},
                          into.log.level);
}

bool ReadFork(const toml::node& value, Settings& into) {
  return Choose<ForkMode>(
      value, {{"continue", ForkMode::kContinue}, {"strict", ForkMode::kStrict}},
      into.fork);
}

bool ReadLabel(const toml::node& value, TokenSettings& into) {
  return ReadText<&TokenSettings::label>(value, into) &&
         into.label.size() <= kMaxLabelBytes;
}

bool ReadCredentials(const toml::node& value, TokenSettings& into) {
  into.credentials_file = FileOf(value);
  if (!into.credentials_file.empty()) {
    into.credentials = CredentialSource::kFile;
    return true;
  }
  return Choose<CredentialSource>(value,
                                  {{"env", CredentialSource::kEnvironment},
                                   {"profile", CredentialSource::kProfile},
                                   {"pin", CredentialSource::kPin}},
                                  into.credentials);
}

bool ReadLogin(const toml::node& value, TokenSettings& into) {
  return Choose<LoginMode>(
      value, {{"none", LoginMode::kNone}, {"pin", LoginMode::kPin}},
      into.options.login);
}

bool ReadBackend(const toml::node& value, TokenSettings& into) {
  return Choose<Backend>(
      value, {{"claviger", Backend::kClaviger}, {"aws", Backend::kAws}},
      into.backend);
}

template <auto kMember>
bool ReadPlace(const toml::node& value, TokenSettings& into) {
  return Choose<Place>(value,
                       {{"local", Place::kLocal}, {"remote", Place::kRemote}},
                       In<kMember>(into));
}

// Ids and ARNs of keys only: a name that can be given to another key another
// day is no filter.
bool ReadKeyIds(const toml::node& value, KeyFilter& into) {
  const toml::array* const list = value.as_array();
  if (list == nullptr || list->empty()) {
    return false;
  }
  for (const toml::node& each : *list) {
    const std::string* const text = TextOf(each);
    if (text == nullptr || text->find(kAliasPrefix) != std::string::npos) {
      return false;
    }
    into.key_ids.push_back(*text);
  }
  return true;
}

bool ReadAliasPrefix(const toml::node& value, KeyFilter& into) {
  if (!ReadText<&KeyFilter::alias_prefix>(value, into)) {
    return false;
  }
  if (into.alias_prefix.starts_with(kAliasPrefix)) {
    into.alias_prefix.erase(0, kAliasPrefix.size());
  }
  return !into.alias_prefix.empty();
}

bool ReadTag(const toml::node& value, KeyFilter& into) {
  const toml::table* const table = value.as_table();
  if (table == nullptr || table->size() != 2 || !table->contains("key") ||
      !table->contains("value")) {
    return false;
  }
  const std::string* const key = TextOf(*table->get("key"));
  const auto* const wanted = table->get("value")->as_string();
  if (key == nullptr || wanted == nullptr) {
    return false;
  }
  into.tag = TagFilter{*key, wanted->get()};
  return true;
}

bool ReadPaths(const toml::node& value, TokenSettings& into) {
  const toml::array* const list = value.as_array();
  if (list == nullptr || list->empty()) {
    return false;
  }
  for (const toml::node& each : *list) {
    const std::string* const text = TextOf(each);
    if (text == nullptr || text->front() != '/') {
      return false;
    }
    into.options.certificates.push_back(*text);
  }
  return true;
}

constexpr std::string_view kFlag = "true or false";
constexpr std::string_view kPlaces = R"("local" or "remote")";

constexpr std::array kTopMembers = {
    Member<Settings>{
        {"log", R"("stderr", "syslog" or "file:/path")", R"("stderr")"},
        ReadLog},
    Member<Settings>{
        {"log_level", R"("error", "warn", "info" or "debug")", R"("warn")"},
        ReadLogLevel},
    Member<Settings>{{"fork", R"("continue" or "strict")", R"("continue")"},
                     ReadFork},
};

constexpr std::array kTokenMembers = {
    Member<TokenSettings>{{"label", "a text of 1 to 32 bytes", R"("claviger")"},
                          ReadLabel},
    Member<TokenSettings>{{"endpoint", "a text", ""},
                          ReadText<&TokenSettings::endpoint>},
    Member<TokenSettings>{{"region", "a text", ""},
                          ReadText<&TokenSettings::region>},
    Member<TokenSettings>{{"ca_file", "an absolute path", ""},
                          ReadPath<&TokenSettings::ca_file>},
    Member<TokenSettings>{
        {"credentials", R"("env", "profile", "file:/path" or "pin")", ""},
        ReadCredentials},
    Member<TokenSettings>{{"profile", "a text", ""},
                          ReadText<&TokenSettings::profile>},
    Member<TokenSettings>{{"login", R"("none" or "pin")", R"("none")"},
                          ReadLogin},
    Member<TokenSettings>{{"access_key_id", "a text", ""},
                          ReadText<&TokenOptions::access_key_id>},
    Member<TokenSettings>{{"backend", R"("claviger" or "aws")", ""},
                          ReadBackend},
    Member<TokenSettings>{{"show_disabled", kFlag, "false"},
                          ReadBool<&TokenOptions::show_disabled>},
    Member<TokenSettings>{
        {"object_ttl", "a whole number of seconds from 0 to 86400", "60"},
        ReadNumber<&TokenOptions::object_ttl, 0, 86400>},
    Member<TokenSettings>{{"certificates", "a list of absolute paths", ""},
                          ReadPaths},
    Member<TokenSettings>{{"certificate_dir", "an absolute path", ""},
                          ReadPath<&TokenOptions::certificate_dir>},
    Member<TokenSettings>{{"ephemeral_certificates", kFlag, "false"},
                          ReadBool<&TokenOptions::ephemeral_certificates>},
    Member<TokenSettings>{{"verify", kPlaces, R"("local")"},
                          ReadPlace<&TokenOptions::verify>},
    Member<TokenSettings>{{"random", kPlaces, R"("local")"},
                          ReadPlace<&TokenOptions::random>},
    Member<TokenSettings>{{"destroy", kFlag, "true"},
                          ReadBool<&TokenOptions::destroy>},
    Member<TokenSettings>{{"destroy_days", "a whole number from 7 to 30", "30"},
                          ReadNumber<&TokenOptions::destroy_after, 7, 30>},
    Member<TokenSettings>{{"session_keypairs", kFlag, "true"},
                          ReadBool<&TokenOptions::session_keypairs>},
    Member<TokenSettings>{{"digests", kFlag, "false"},
                          ReadBool<&TokenOptions::digests>},
    Member<TokenSettings>{{"strict_templates", kFlag, "false"},
                          ReadBool<&TokenOptions::strict_templates>},
};

constexpr std::array kFilterMembers = {
    Member<KeyFilter>{{"filter.key_ids", "a list of key ids and key ARNs", ""},
                      ReadKeyIds},
    Member<KeyFilter>{{"filter.alias_prefix", "a text", ""}, ReadAliasPrefix},
    Member<KeyFilter>{{"filter.tag", "a table of key and value", ""}, ReadTag},
};

}  // namespace

std::span<const Member<Settings>> TopMembers() { return kTopMembers; }
std::span<const Member<TokenSettings>> TokenMembers() { return kTokenMembers; }
std::span<const Member<KeyFilter>> FilterMembers() { return kFilterMembers; }

}  // namespace pkcs11::module
