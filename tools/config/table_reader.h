// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CONFIG_TABLE_READER_H_
#define TOOLS_CONFIG_TABLE_READER_H_

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "tools/config/config.h"

namespace tools::config {

// A TableReader takes the keys of one table of a configuration: each at most
// once, and in the end none may be left over. What is not there keeps the value
// that it had. The first problem is kept, as kInvalidArgument and "file:line:
// reason"; later ones are passed over. It borrows the file's name and the
// table.
class TableReader {
 public:
  // `name` is what stands before the keys in messages; empty for the top.
  TableReader(const std::string& file, const toml::table& table,
              std::string name)
      : file_(file), table_(table), name_(std::move(name)) {}

  TableReader& Text(const char* key, std::string& out, bool required = false);
  // A list of texts, with at least one in it.
  TableReader& Texts(const char* key, std::vector<std::string>& out,
                     bool required = false);
  // Every key of a table that lists names, each with a text that is not empty,
  // in the order of the keys.
  using TakeText =
      std::function<void(const std::string& key, const std::string& text)>;
  TableReader& EachText(const TakeText& take);
  TableReader& Bool(const char* key, bool& out);
  template <typename T>
  TableReader& Integer(const char* key, T& out, std::int64_t min,
                       std::int64_t max);
  TableReader& Address(const char* key, std::optional<ListenAddress>& out);

  // A table in this one.
  TableReader& Table(const char* key,
                     const std::function<base::Status(TableReader&)>& read);
  // Tables of one name, [[key]].
  TableReader& Tables(const char* key,
                      const std::function<base::Status(TableReader&)>& read);

  // Says why the value of a key that was taken cannot be used, or that it is
  // missing.
  void Refuse(const char* key, const std::string& reason);

  // "file:line" of a key that is there.
  std::string Where(const char* key) const;

  // What went wrong, or that a key is left which nobody has taken.
  base::Status Finish();

 private:
  const toml::node* Take(const char* key, bool required);
  void Enter(const toml::table& table, std::string name,
             const std::function<base::Status(TableReader&)>& read);
  std::string Named(const char* key) const;
  void Fail(const toml::node& node, const std::string& reason);

  const std::string& file_;
  const toml::table& table_;
  const std::string name_;
  std::set<std::string> taken_;
  base::Status problem_;
};

template <typename T>
TableReader& TableReader::Integer(const char* key, T& out, std::int64_t min,
                                  std::int64_t max) {
  if (const toml::node* const node = Take(key, false)) {
    const auto value = node->value_exact<std::int64_t>();
    if (value && *value >= min && *value <= max) {
      out = static_cast<T>(*value);
    } else {
      Fail(*node, fmt::format("{} must be a whole number from {} to {}",
                              Named(key), min, max));
    }
  }
  return *this;
}

}  // namespace tools::config

#endif  // TOOLS_CONFIG_TABLE_READER_H_
