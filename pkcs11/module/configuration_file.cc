// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "pkcs11/module/settings_members.h"

namespace pkcs11::module {
namespace {

using base::Error;
using base::ErrorCode;

constexpr off_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kTokens = "token";

Error Unreadable(const std::string& path, std::string_view why) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("{}:0: cannot be read: {}", path, why)};
}

Error Refused(const std::string& where, std::string_view reason) {
  return {ErrorCode::kInvalidArgument, fmt::format("{}: {}", where, reason)};
}

std::string ReasonOf(int code) {
  char text[128] = {};
  return strerror_r(code, text, sizeof(text));
}

base::Result<std::string> ReadAll(int descriptor, const std::string& path) {
  struct stat status = {};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return Unreadable(path, "it is no regular file");
  }
  if (status.st_size > kMaxFileBytes) {
    return Unreadable(path, "it is longer than 1 MiB");
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t got =
        read(descriptor, text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return Unreadable(path, ReasonOf(errno));
    }
    if (got == 0) {
      return Unreadable(path, "it changes meanwhile");
    }
    have += static_cast<std::size_t>(got);
  }
  return text;
}

// Does not wait for who writes into a pipe.
base::Result<std::string> ReadText(const std::string& path) {
  const int descriptor =
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) {
    return Unreadable(path, ReasonOf(errno));
  }
  base::Result<std::string> text = ReadAll(descriptor, path);
  close(descriptor);
  return text;
}

// Reads the members of one table of the file. `path` is borrowed.
class TableReader {
 public:
  explicit TableReader(const std::string& path) : path_(path) {}

  std::string Where(const toml::source_region& source) const {
    return fmt::format("{}:{}", path_, source.begin.line);
  }

  // The row of `members` that `key` means, if any. `prefix` is what their keys
  // begin with.
  template <typename Into>
  static const Member<Into>* Find(std::span<const Member<Into>> members,
                                  std::string_view prefix,
                                  std::string_view key) {
    for (const Member<Into>& member : members) {
      const std::string_view own = member.description.key;
      if (own.substr(prefix.size()) == key) {
        return &member;
      }
    }
    return nullptr;
  }

  template <typename Into>
  base::Status Read(const Member<Into>* member, const toml::key& key,
                    const toml::node& value, Into& into) const {
    if (member == nullptr) {
      return Unknown(key);
    }
    if (!member->read(value, into)) {
      return Refused(Where(value.source()),
                     fmt::format("{} must be {}", member->description.key,
                                 member->description.values));
    }
    return {};
  }

  // A key that belongs elsewhere is the most likely slip of all: in TOML, what
  // follows [[token]] is the token's.
  Error Unknown(const toml::key& key) const {
    const std::string where = Where(key.source());
    if (Find(TopMembers(), "", key.str()) != nullptr) {
      return Refused(where, fmt::format("{} belongs above the first [[token]]",
                                        key.str()));
    }
    if (Find(TokenMembers(), "", key.str()) != nullptr) {
      return Refused(where,
                     fmt::format("{} belongs below a [[token]]", key.str()));
    }
    return Refused(where, fmt::format("unknown key {}", key.str()));
  }

 private:
  const std::string& path_;
};

base::Status ReadFilter(const TableReader& reader, const toml::node& node,
                        KeyFilter& filter) {
  const toml::table* const table = node.as_table();
  // An empty one would let everything through.
  if (table == nullptr || table->empty()) {
    return Refused(reader.Where(node.source()),
                   "filter must be a table of key_ids, alias_prefix or tag");
  }
  for (const auto& [key, value] : *table) {
    RETURN_IF_ERROR(
        reader.Read(reader.Find(FilterMembers(), "filter.", key.str()), key,
                    value, filter));
  }
  return {};
}

// What each member for itself cannot see. A login takes an access key, and a
// token that has one of its own needs none.
base::Status CheckTogether(TokenSettings& settings) {
  const bool by_login = settings.options.login == LoginMode::kPin ||
                        settings.credentials == CredentialSource::kPin;
  if (by_login && settings.credentials != CredentialSource::kPin &&
      settings.credentials != CredentialSource::kUsual) {
    return Refused(settings.where,
                   "with login = \"pin\" the credentials are the PIN: leave "
                   "credentials out");
  }
  if (by_login && !settings.profile.empty()) {
    return Refused(settings.where,
                   "with login = \"pin\" the credentials are the PIN: leave "
                   "profile out");
  }
  if (!by_login && !settings.options.access_key_id.empty()) {
    return Refused(settings.where,
                   "access_key_id is for login = \"pin\"; other access keys "
                   "are in AWS's shared files");
  }
  if (settings.credentials == CredentialSource::kEnvironment &&
      !settings.profile.empty()) {
    return Refused(settings.where,
                   "credentials = \"env\" uses no profile: leave one out");
  }
  if (by_login) {
    settings.options.login = LoginMode::kPin;
    settings.credentials = CredentialSource::kPin;
  }
  return {};
}

base::Result<TokenSettings> ReadToken(const TableReader& reader,
                                      const toml::node& node) {
  TokenSettings settings;
  settings.where = reader.Where(node.source());
  const toml::table* const table = node.as_table();
  if (table == nullptr) {
    return Refused(settings.where, "[[token]] must be a table");
  }
  for (const auto& [key, value] : *table) {
    RETURN_IF_ERROR(
        key.str() == kFilter
            ? ReadFilter(reader, value, settings.options.filter)
            : reader.Read(reader.Find(TokenMembers(), "", key.str()), key,
                          value, settings));
  }
  RETURN_IF_ERROR(CheckTogether(settings));
  return settings;
}

base::Status ReadTokens(const TableReader& reader, const toml::node& node,
                        std::vector<TokenSettings>& tokens) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    return Refused(reader.Where(node.source()),
                   "write [[token]], for there may be several");
  }
  std::set<std::string> labels;
  for (const toml::node& each : *array) {
    ASSIGN_OR_RETURN(TokenSettings settings, ReadToken(reader, each));
    if (!labels.insert(settings.label).second) {
      return Refused(settings.where, "two tokens have the same label");
    }
    tokens.push_back(std::move(settings));
  }
  return {};
}

template <typename Into>
void Describe(std::span<const Member<Into>> members,
              std::vector<MemberDescription>& into) {
  for (const Member<Into>& member : members) {
    into.push_back(member.description);
  }
}

}  // namespace

base::Result<Settings> ReadConfigurationFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  const TableReader reader(path);
  const toml::parse_result parsed = toml::parse(text, path);
  if (!parsed) {
    return Refused(reader.Where(parsed.error().source()),
                   parsed.error().description());
  }
  Settings settings;
  for (const auto& [key, value] : parsed.table()) {
    RETURN_IF_ERROR(key.str() == kTokens
                        ? ReadTokens(reader, value, settings.tokens)
                        : reader.Read(reader.Find(TopMembers(), "", key.str()),
                                      key, value, settings));
  }
  return settings;
}

std::vector<MemberDescription> DescribeTopMembers() {
  std::vector<MemberDescription> all;
  Describe(TopMembers(), all);
  return all;
}

std::vector<MemberDescription> DescribeTokenMembers() {
  std::vector<MemberDescription> all;
  Describe(TokenMembers(), all);
  Describe(FilterMembers(), all);
  return all;
}

}  // namespace pkcs11::module
