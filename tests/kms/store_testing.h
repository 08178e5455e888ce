// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_KMS_STORE_TESTING_H_
#define TESTS_KMS_STORE_TESTING_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "kms/store/store.h"
#include "tests/testlib/status.h"
#include "tests/testlib/temp_dir.h"

namespace kms::store {

inline constexpr std::string_view kAccount = "111122223333";
inline constexpr std::string_view kRegion = "eu-central-1";

inline base::WallTime At(std::int64_t microseconds) {
  return base::WallTime(std::chrono::microseconds(microseconds));
}

// Key number n: an id, a material id and a locator of its own.
Key MakeKey(std::uint32_t n);
// The multi-Region key number n, and its replica in another Region.
Key MakePrimary(std::uint32_t n);
Key MakeReplica(const Key& primary, std::string_view region);
Alias MakeAlias(std::string_view name, const Key& key);

// Every field, for comparing.
std::string Text(const Key& key);
std::string Text(const Alias& alias);

// A store in a fresh folder, and the changes that many tests make.
class StoreTest : public testing::Test {
 protected:
  StoreOptions Options() const {
    return {.path = (dir_ / "claviger.db").string()};
  }
  base::Result<std::unique_ptr<Store>> TryOpen() {
    return Store::Open(Options(), clock_);
  }
  void Open() { store_ = testlib::Take(TryOpen()); }
  void Close() { store_.reset(); }
  void Reopen() {
    Close();
    Open();
  }

  base::Status Insert(const Key& key) {
    return store_->WriteNow(
        [&key](Transaction& change) { return change.InsertKey(key); });
  }
  base::Status Insert(const Alias& alias) {
    return store_->WriteNow(
        [&alias](Transaction& change) { return change.InsertAlias(alias); });
  }

  testlib::TempDir dir_;
  base::FakeClock clock_{At(1'700'000'000'000'000)};
  std::unique_ptr<Store> store_;
};

}  // namespace kms::store

#endif  // TESTS_KMS_STORE_TESTING_H_
