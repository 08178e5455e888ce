// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/filler.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/hash.h"
#include "base/random.h"
#include "kms/ciphertext.h"
#include "kms/key_id.h"
#include "kms/store/store.h"

namespace bench {
namespace {

constexpr std::size_t kRowsPerCommit = 5'000;

}  // namespace

base::Status FillStore(const std::string& folder, std::size_t count,
                       std::vector<std::string>& ids) {
  const base::RealClock clock;
  kms::store::StoreOptions options;
  options.path = folder + "/dev/claviger.db";
  ASSIGN_OR_RETURN(const auto store,
                   kms::store::Store::Open(std::move(options), clock));
  ASSIGN_OR_RETURN(const kms::KeyPtr made, store->FindKey(ids.front()));
  while (ids.size() < count) {
    std::vector<kms::Key> keys(std::min(kRowsPerCommit, count - ids.size()),
                               *made);
    for (kms::Key& key : keys) {
      key.id = key.row_id = base::NewUuidText();
      kms::KeyMaterial& material = key.materials.front();
      material.ref.locator.bytes = base::NewUuid().bytes;
      if (const auto& wrapped = material.ref.wrapped) {
        material.id =
            kms::MakeMaterialId(*kms::ParseKeyId(key.id), wrapped->check_value,
                                base::ThreadHasher());
      } else {
        std::ranges::copy(base::NewUuid().bytes, material.id.begin());
      }
      ids.push_back(key.id);
    }
    const auto insert =
        [&keys](kms::store::Transaction& transaction) -> base::Status {
      for (const kms::Key& key : keys) {
        RETURN_IF_ERROR(transaction.InsertKey(key));
      }
      return {};
    };
    RETURN_IF_ERROR(store->WriteNow(insert));
  }
  return {};
}

}  // namespace bench
