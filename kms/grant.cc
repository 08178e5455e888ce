// SPDX-License-Identifier: Apache-2.0
#include "kms/grant.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "kms/json_writer.h"
#include "kms/key_id.h"

namespace kms {
namespace {

// Feeds a digest such that no two lists of fields look alike.
class FieldHasher {
 public:
  FieldHasher() { hasher_.Start(); }

  void Add(std::string_view text) {
    std::array<std::uint8_t, 8> size{};
    for (std::size_t i = 0; i < size.size(); ++i) {
      size.at(i) = static_cast<std::uint8_t>(text.size() >> (56 - 8 * i));
    }
    hasher_.Update(size);
    hasher_.Update(base::AsBytes(text));
  }

  // An absent map and an empty one differ.
  void Add(const std::optional<ContextPairs>& pairs) {
    Add(pairs ? std::to_string(pairs->size()) : "absent");
    for (const auto& [key, value] : pairs.value_or(ContextPairs())) {
      Add(key);
      Add(value);
    }
  }

  base::Digest Finish() { return hasher_.Finish(); }

 private:
  base::Hasher& hasher_ = base::ThreadHasher();
};

}  // namespace

std::optional<GrantOperation> ParseGrantOperation(std::string_view name) {
  const auto* const it = std::ranges::find(kGrantOperationNames, name);
  if (it == kGrantOperationNames.end()) {
    return std::nullopt;
  }
  return static_cast<GrantOperation>(it - kGrantOperationNames.begin());
}

std::string GrantOperationsText(GrantOperations operations) {
  std::string text;
  operations.ForEachName([&text](std::string_view name) {
    text.append(text.empty() ? "" : ",").append(name);
  });
  return text;
}

std::optional<GrantOperations> ParseGrantOperations(std::string_view text) {
  GrantOperations operations;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const auto operation = ParseGrantOperation(rest.substr(0, comma));
    if (!operation) {
      return std::nullopt;
    }
    operations.Add(*operation);
    rest = comma == std::string_view::npos ? std::string_view()
                                           : rest.substr(comma + 1);
  }
  // One spelling of each set, and no empty one.
  if (operations.empty() || GrantOperationsText(operations) != text) {
    return std::nullopt;
  }
  return operations;
}

std::string ContextPairsText(const ContextPairs& pairs) {
  base::WipingString out;
  JsonWriter writer(out);
  writer.BeginObject();
  for (const auto& [key, value] : pairs) {
    writer.Pair(key, value);
  }
  writer.EndObject();
  return std::string(out);
}

std::optional<ContextPairs> ParseContextPairs(std::string_view text) {
  const base::Result<base::Json> object = base::ParseJson(text);
  if (!object || !object->is_object()) {
    return std::nullopt;
  }
  ContextPairs pairs;
  for (const auto& [key, value] :
       object->get_ref<const base::Json::object_t&>()) {
    if (!value.is_string()) {
      return std::nullopt;
    }
    pairs.emplace(std::string_view(key), base::TextOf(value));
  }
  return pairs;
}

std::string Grant::KeyArn() const {
  return kms::KeyArn(region, account, KeyIdOfRow(key_row_id));
}

base::Digest Grant::Parameters() const {
  FieldHasher fields;
  for (const std::string_view field :
       {std::string_view(grantee_principal), std::string_view(grantee_service),
        std::string_view(retiring_principal),
        std::string_view(retiring_service), std::string_view(issuing_account),
        std::string_view(constraints.source_arn)}) {
    fields.Add(field);
  }
  fields.Add(GrantOperationsText(operations));
  fields.Add(constraints.context_equals);
  fields.Add(constraints.context_subset);
  // Grants that are older than ids have none, and keep their digests.
  for (const std::string_view of :
       {std::string_view(grantee_id), std::string_view(retiring_id)}) {
    if (!of.empty()) {
      fields.Add(of);
    }
  }
  return fields.Finish();
}

bool IsGrantId(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string NewGrantId() {
  std::array<std::uint8_t, 32> bytes{};
  base::RandomBytes(bytes);
  return base::HexEncode(bytes);
}

}  // namespace kms
