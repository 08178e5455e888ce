// SPDX-License-Identifier: Apache-2.0
#include "kms/operations/call.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "kms/operations/record.h"

namespace kms::operations {
namespace {

using Entries = std::vector<policy::ContextEntry>;

// A context is larger than what malloc keeps at hand for a thread. As many are
// kept as a loaded thread has calls on their way; few are larger.
constexpr std::size_t kMostSpare = 128;
constexpr std::size_t kUsualContext = 24;

std::vector<Entries>& SpareContexts() {
  thread_local std::vector<Entries> contexts = [] {
    std::vector<Entries> none;
    none.reserve(kMostSpare);
    return none;
  }();
  return contexts;
}

Entries TakeSpareContext() {
  std::vector<Entries>& spares = SpareContexts();
  Entries context;
  if (spares.empty()) {
    context.reserve(kUsualContext);
  } else {
    context = std::move(spares.back());
    spares.pop_back();
  }
  return context;
}

void KeepSpareContext(Entries context) {
  std::vector<Entries>& spares = SpareContexts();
  if (spares.size() < kMostSpare && context.capacity() == kUsualContext) {
    context.clear();
    spares.push_back(std::move(context));
  }
}

}  // namespace

Call::Call(Environment& env, const Request& req, const Operation& op)
    : environment(env),
      request(req),
      operation(op),
      context(TakeSpareContext()) {}

Call::~Call() { KeepSpareContext(std::move(context)); }

const base::Json* Call::Find(std::string_view name) const {
  if (input == nullptr || !input->is_object()) {
    return nullptr;
  }
  const auto it = input->find(name);
  return it == input->end() || it->is_null() ? nullptr : &*it;
}

std::optional<std::string_view> Call::Text(std::string_view name) const {
  const base::Json* const value = Find(name);
  return value == nullptr ? std::nullopt : std::optional(base::TextOf(*value));
}

std::optional<std::int64_t> Call::Number(std::string_view name) const {
  const base::Json* const value = Find(name);
  return value == nullptr ? std::nullopt
                          : std::optional(value->get<std::int64_t>());
}

bool Call::Flag(std::string_view name) const {
  const base::Json* const value = Find(name);
  return value != nullptr && value->get<bool>();
}

const base::Secret* Call::Blob(std::string_view name) const {
  for (const NamedBlob& blob : blobs) {
    if (blob.name == name) {
      return &blob.bytes;
    }
  }
  return nullptr;
}

EncryptionContext Call::Context(std::string_view name) const {
  EncryptionContext pairs;
  if (const base::Json* const object = Find(name)) {
    pairs.reserve(object->size());
    for (const auto& [pair_name, value] :
         object->get_ref<const base::Json::object_t&>()) {
      pairs.emplace_back(std::string_view(pair_name), base::TextOf(value));
    }
  }
  return pairs;
}

boost::asio::awaitable<base::Status> Call::Commit(store::Store::Change change) {
  std::string event;
  auto whole = [this, &event,
                &change](store::Transaction& transaction) -> base::Status {
    RETURN_IF_ERROR(change(transaction));
    event = SuccessEvent(*this, transaction.revision());
    return transaction.AddOutbox({event_id, event});
  };
  CO_RETURN_IF_ERROR(co_await environment.store.Write(std::move(whole)));
  committed_event = std::move(event);
  co_return base::Status();
}

boost::asio::awaitable<base::Status> Call::CommitKey(
    std::function<base::Status(Key&)> edit) {
  auto change = [this, &edit](store::Transaction& transaction) -> base::Status {
    ASSIGN_OR_RETURN(Key current, transaction.GetKey(key->row_id));
    RETURN_IF_ERROR(CheckState(operation.states, current));
    RETURN_IF_ERROR(edit(current));
    return transaction.UpdateKey(current);
  };
  co_return co_await Commit(change);
}

}  // namespace kms::operations
