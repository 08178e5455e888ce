// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "hsm/token/quirks.h"

namespace hsm::token {
namespace {

using base::Error;
using base::ErrorCode;

template <typename T>
struct Word {
  std::string_view text;
  T meaning;
};

constexpr std::array kEvidence = {
    Word<Evidence>{"every test run", Evidence::kEveryTestRun},
    Word<Evidence>{"tools/test --tokens", Evidence::kTokensRun},
    Word<Evidence>{"from the manual; not run on hardware", Evidence::kManual}};

constexpr std::array kPinForms = {
    Word<PinForm>{"user:password", PinForm::kUserAndPassword},
    Word<PinForm>{"key id, password", PinForm::kKeyIdAndPassword}};

constexpr std::array kLayouts = {Word<bool>{"softhsm", true}};

// A File takes the values of one profile, each at most once; what is left over
// in the end is unknown. The first problem is kept.
class File {
 public:
  File(std::string_view name, const toml::table& root)
      : name_(name), root_(root) {}

  void Text(std::string_view key, std::string& out) {
    if (const toml::node* const node = Take(key)) {
      out = node->value_exact<std::string>().value_or("");
      Require(!out.empty(), key, "must be a text that is not empty");
    }
  }

  void Bool(std::string_view key, bool& out) {
    if (const toml::node* const node = Take(key)) {
      const auto value = node->value_exact<bool>();
      Require(value.has_value(), key, "must be true or false");
      out = value.value_or(false);
    }
  }

  std::vector<std::string> Texts(std::string_view key) {
    std::vector<std::string> texts;
    const toml::node* const node = Take(key);
    const toml::array* const array =
        node == nullptr ? nullptr : node->as_array();
    Require(node == nullptr || array != nullptr, key, "must be a list");
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const auto text = (*array)[i].value_exact<std::string>();
      Require(text && !text->empty(), key, "must be a list of texts");
      texts.push_back(text.value_or(""));
    }
    return texts;
  }

  template <typename T, std::size_t N>
  void Choice(std::string_view key, const std::array<Word<T>, N>& words,
              T& out) {
    std::string text;
    Text(key, text);
    const auto it = std::ranges::find(words, text, &Word<T>::text);
    if (it != words.end()) {
      out = it->meaning;
    } else if (!text.empty()) {
      Require(false, key, fmt::format("cannot be \"{}\"", text));
    }
  }

  void Require(bool good, std::string_view key, std::string_view reason) {
    if (!good && problem_.has_value()) {
      problem_ =
          Error{ErrorCode::kInvalidArgument,
                fmt::format("profile \"{}\": {} {}", name_, key, reason)};
    }
  }

  base::Status Finish() {
    for (const auto& [key, node] : root_) {
      const toml::table* const table = node.as_table();
      if (table == nullptr) {
        // One with a dot is spelt like one in a table, and is none.
        const bool known = taken_.contains(key.str()) &&
                           key.str().find('.') == std::string::npos;
        Require(known, key.str(), "is an unknown key");
        continue;
      }
      for (const auto& [inner, ignored] : *table) {
        const std::string path = fmt::format("{}.{}", key.str(), inner.str());
        Require(taken_.contains(path), path, "is an unknown key");
      }
    }
    return problem_;
  }

 private:
  const toml::node* Take(std::string_view key) {
    taken_.emplace(key);
    return root_.at_path(key).node();
  }

  std::string_view name_;
  const toml::table& root_;
  std::set<std::string, std::less<>> taken_;
  base::Status problem_;
};

std::vector<CK_RV> ReturnValues(File& file, std::string_view key) {
  std::vector<CK_RV> values;
  for (const std::string& text : file.Texts(key)) {
    const auto it = std::ranges::find(RvMeanings(), text, &RvMeaning::name);
    const bool known = it != RvMeanings().end();
    file.Require(known, key, fmt::format("names no CK_RV by \"{}\"", text));
    values.push_back(known ? it->rv : CKR_OK);
  }
  return values;
}

base::Result<Quirks> Read(std::string_view name, const toml::table& root) {
  File file(name, root);
  Quirks quirks;
  quirks.name = name;
  file.Text("title", quirks.title);
  file.Require(!quirks.title.empty(), "title", "is missing");
  file.Require(root.contains("evidence"), "evidence", "is missing");
  file.Choice("evidence", kEvidence, quirks.evidence);
  quirks.notes = file.Texts("notes");
  file.Text("recognise.module", quirks.module);
  file.Text("recognise.manufacturer", quirks.manufacturer);
  file.Choice("files.layout", kLayouts, quirks.files_like_softhsm);
  file.Bool("initialise.parameters", quirks.needs_parameters);
  file.Choice("login.pin", kPinForms, quirks.pin);
  file.Bool("objects.allowed_mechanisms", quirks.allowed_mechanisms);
  file.Bool("objects.copyable", quirks.copyable);
  if (root.at_path("answers.bad_data")) {
    quirks.bad_data = ReturnValues(file, "answers.bad_data");
  }
  RETURN_IF_ERROR(file.Finish());
  return quirks;
}

}  // namespace

base::Result<Quirks> ParseQuirks(std::string_view name, std::string_view text) {
  try {
    const toml::table root = toml::parse(text);
    return Read(name, root);
  } catch (const toml::parse_error& error) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("profile \"{}\": line {}: {}", name,
                             error.source().begin.line, error.description())};
  }
}

}  // namespace hsm::token
