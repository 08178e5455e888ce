// SPDX-License-Identifier: Apache-2.0
#include "tools/config/table_reader.h"

#include <utility>

namespace tools::config {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

std::string PlaceOf(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}", file, node.source().begin.line);
}

// Where in the file something stands, for "file:line: reason".
Error At(const std::string& file, const toml::node& node,
         const std::string& reason) {
  return {ErrorCode::kInvalidArgument, PlaceOf(file, node) + ": " + reason};
}

}  // namespace

TableReader& TableReader::Text(const char* key, std::string& out,
                               bool required) {
  if (const toml::node* const node = Take(key, required)) {
    if (const auto value = node->value_exact<std::string>();
        value && !value->empty()) {
      out = *value;
    } else {
      Fail(*node, Named(key) + " must be a text that is not empty");
    }
  }
  return *this;
}

TableReader& TableReader::Texts(const char* key, std::vector<std::string>& out,
                                bool required) {
  const toml::node* const node = Take(key, required);
  if (node == nullptr) {
    return *this;
  }
  std::vector<std::string> texts;
  const toml::array* const array = node->as_array();
  bool good = array != nullptr && !array->empty();
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const auto text = array->get(i)->value_exact<std::string>();
    good = text && !text->empty();
    texts.push_back(text.value_or(""));
  }
  if (good) {
    out = std::move(texts);
  } else {
    Fail(*node, Named(key) +
                    " must be a list of texts that are not empty, "
                    "with at least one of them");
  }
  return *this;
}

TableReader& TableReader::EachText(const TakeText& take) {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    std::string text;
    Text(name.c_str(), text);
    if (!text.empty()) {
      take(name, text);
    }
  }
  return *this;
}

TableReader& TableReader::Bool(const char* key, bool& out) {
  if (const toml::node* const node = Take(key, false)) {
    if (const auto value = node->value_exact<bool>()) {
      out = *value;
    } else {
      Fail(*node, Named(key) + " must be true or false");
    }
  }
  return *this;
}

TableReader& TableReader::Address(const char* key,
                                  std::optional<ListenAddress>& out) {
  std::string text;
  Text(key, text);
  if (text.empty() || !problem_) {
    return *this;
  }
  if (auto address = ParseListenAddress(text)) {
    out = *std::move(address);
  } else {
    Fail(*table_.get(key), Named(key) + ": " + address.error().message);
  }
  return *this;
}

TableReader& TableReader::Table(
    const char* key, const std::function<Status(TableReader&)>& read) {
  if (const toml::node* const node = Take(key, false)) {
    if (const toml::table* const table = node->as_table()) {
      Enter(*table, Named(key), read);
    } else {
      Fail(*node, Named(key) + " must be a table: [" + Named(key) + "]");
    }
  }
  return *this;
}

TableReader& TableReader::Tables(
    const char* key, const std::function<Status(TableReader&)>& read) {
  const toml::node* const node = Take(key, false);
  if (node == nullptr) {
    return *this;
  }
  const toml::array* const array = node->as_array();
  if (array == nullptr || !array->is_homogeneous<toml::table>()) {
    Fail(*node, Named(key) + " must be tables: [[" + Named(key) + "]]");
    return *this;
  }
  for (const toml::node& item : *array) {
    Enter(*item.as_table(), Named(key), read);
  }
  return *this;
}

void TableReader::Refuse(const char* key, const std::string& reason) {
  const toml::node* const node = table_.get(key);
  Fail(node != nullptr ? *node : static_cast<const toml::node&>(table_),
       Named(key) + " " + reason);
}

std::string TableReader::Where(const char* key) const {
  return PlaceOf(file_, *table_.get(key));
}

Status TableReader::Finish() {
  RETURN_IF_ERROR(problem_);
  for (const auto& [key, node] : table_) {
    if (!taken_.contains(std::string(key.str()))) {
      return At(file_, node,
                fmt::format("unknown key '{}'; known here: {}",
                            Named(std::string(key.str()).c_str()),
                            fmt::join(taken_, ", ")));
    }
  }
  return {};
}

const toml::node* TableReader::Take(const char* key, bool required) {
  taken_.insert(key);
  const toml::node* const node = table_.get(key);
  if (node == nullptr && required) {
    Fail(table_, Named(key) + " is missing");
  }
  return node;
}

void TableReader::Enter(const toml::table& table, std::string name,
                        const std::function<Status(TableReader&)>& read) {
  TableReader reader(file_, table, std::move(name));
  Status status = read(reader);
  if (problem_ && !status) {
    problem_ = std::move(status);
  }
}

std::string TableReader::Named(const char* key) const {
  return name_.empty() ? key : name_ + "." + key;
}

void TableReader::Fail(const toml::node& node, const std::string& reason) {
  if (problem_) {
    problem_ = At(file_, node, reason);
  }
}

}  // namespace tools::config
