// SPDX-License-Identifier: Apache-2.0
#include "pkcs11/openssl/context.h"

#include <mutex>
#include <utility>
#include <vector>

#include "kms/client/client.h"
#include "pkcs11/client_kms.h"
#include "pkcs11/fork_gate.h"
#include "pkcs11/openssl/live_kms.h"

namespace pkcs11::openssl {
namespace {

using kms::client::KeyUri;

// More than any program has; whoever names a new one with each key shall not
// fill its memory.
constexpr int kMaxPlaces = 64;

}  // namespace

// A Place is a KMS and what of a URI says that it is this one.
struct Context::Place {
  KeyUri where;
  std::shared_ptr<Kms> kms;
  int number;  // From 1.
  Place* next;
};

Context::Context(const Core& core, kms::client::LibraryContext library)
    : core_(core), library_(std::move(library)), section_(ReadSection(core)) {}

Context::~Context() {
  for (Place* place = places_.load(); place != nullptr;) {
    const std::unique_ptr<Place> gone(place);
    place = gone->next;
  }
}

base::Result<ContextOwner> Context::Create(const Core& core) {
  ASSIGN_OR_RETURN(kms::client::LibraryContext library,
                   kms::client::LibraryContext::Create());
  return ContextOwner(new Context(core, std::move(library)));
}

const Context::Place* Context::FindPlace(const KeyUri& where) const {
  const Place* place = places_.load();
  while (place != nullptr && place->where != where) {
    place = place->next;
  }
  return place;
}

base::Result<std::shared_ptr<Kms>> Context::KmsOf(const KeyUri& uri) {
  if (const Place* const known = FindPlace(PlaceOf(uri))) {
    return known->kms;
  }
  RETURN_IF_ERROR(section_);
  ASSIGN_OR_RETURN(kms::client::Options options, OptionsFor(uri, *section_));
  ASSIGN_OR_RETURN(std::unique_ptr<Kms> kms,
                   ClientKms::Create(std::move(options), clock_));
  return WatchKms(std::move(kms));
}

// Threads that do this at once may remember a place twice, or a few too many,
// which does no harm.
void Context::Remember(const KeyUri& uri, const std::shared_ptr<Kms>& kms) {
  KeyUri where = PlaceOf(uri);
  Place* const newest = places_.load();
  const int known = newest == nullptr ? 0 : newest->number;
  if (known >= kMaxPlaces || FindPlace(where) != nullptr) {
    return;
  }
  auto* const place = new Place{std::move(where), kms, known + 1, newest};
  while (!places_.compare_exchange_weak(place->next, place)) {
  }
}

base::Status Context::CheckReference(const KeyUri& uri) const {
  RETURN_IF_ERROR(section_);
  return openssl::CheckReference(uri, *section_);
}

base::Result<std::string> Context::Endpoint() const {
  RETURN_IF_ERROR(section_);
  ASSIGN_OR_RETURN(const kms::client::Options options,
                   OptionsFor({}, *section_));
  return Describe(options.endpoint);
}

base::Status Context::Ping() const {
  RETURN_IF_ERROR(section_);
  ASSIGN_OR_RETURN(kms::client::Options options, OptionsFor({}, *section_));
  ASSIGN_OR_RETURN(const auto client,
                   kms::client::Client::Create(std::move(options), clock_));
  const OutsideForkGate outside;
  RETURN_IF_ERROR(client->Get("/readyz"));
  return {};
}

void LetGo(std::shared_ptr<const void> thing) {
  if (!kms::client::OpensslIsUp()) {
    static constinit std::mutex mutex;
    static auto& leaked = *new std::vector<std::shared_ptr<const void>>;
    const std::lock_guard lock(mutex);
    leaked.push_back(std::move(thing));
  }
}

}  // namespace pkcs11::openssl
