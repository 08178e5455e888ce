// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_OPERATIONS_CONTEXT_BUILDER_H_
#define KMS_OPERATIONS_CONTEXT_BUILDER_H_

#include <string>
#include <string_view>
#include <utility>

#include "kms/operations/call.h"

// Between context.cc and its parts.
namespace kms::operations {

// Collects the entries of `call.context`, which it adds to. Values that are not
// views of the request are kept in the call.
class ContextBuilder {
 public:
  explicit ContextBuilder(Call& call) : call_(call) {}

  void Add(std::string_view key, std::string_view value) {
    if (!value.empty()) {
      call_.context.push_back({key, {}, value});
    }
  }

  void AddOwned(std::string_view key, std::string value) {
    Add(key, call_.owned.emplace_back(std::move(value)));
  }

  void AddBool(std::string_view key, bool value) {
    Add(key, value ? "true" : "false");
  }

  // A member of the request that is a condition key as it stands.
  void AddMember(std::string_view key, std::string_view member) {
    if (const auto text = call_.Text(member)) {
      Add(key, *text);
    }
  }

  void AddEncryptionContext(std::string_view member) {
    for (const auto& [key, value] : call_.Context(member)) {
      AddPair(key, value);
    }
  }

  void AddPair(std::string_view key, std::string_view value) {
    call_.context.push_back({"kms:EncryptionContext:", key, value});
    call_.context.push_back({"kms:EncryptionContextKeys", {}, key});
  }

 private:
  Call& call_;
};

// The keys of every service, "aws:...", but for those about tags.
void AddGlobalContext(Call& call, const Check& check, ContextBuilder& builder);

}  // namespace kms::operations

#endif  // KMS_OPERATIONS_CONTEXT_BUILDER_H_
