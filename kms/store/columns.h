// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_STORE_COLUMNS_H_
#define KMS_STORE_COLUMNS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "hsm/messages.h"
#include "kms/store/connection.h"

namespace kms::store {

// Columns takes the values of one row from left to right, out of the row, and
// remembers whether one of them is not what the schema promises: the caller
// takes them all, then asks Done() once. Values taken after a wrong one are
// empty. The row is borrowed. Not synchronised.
class Columns {
 public:
  // `table` names the row in the error message.
  Columns(std::string_view table, Row& row) : table_(table), rest_(row) {}

  std::string Text();
  std::int64_t Integer();
  std::uint64_t Unsigned();  // Not negative.
  bool Flag();               // 0 or 1.
  base::WallTime Time();
  std::optional<base::WallTime> OptionalTime();
  std::optional<std::int64_t> OptionalInteger();
  std::string OptionalText();  // Null is empty.
  base::Bytes Blob();
  base::Bytes OptionalBlob();          // Null is empty.
  hsm::Algorithm Algorithm();          // Of a key's material.
  hsm::Algorithm PairAlgorithm();      // Of a pair that unwraps.
  hsm::Algorithm ServiceAlgorithm();   // Of a service key.
  hsm::Algorithm ExternalAlgorithm();  // Of an external key.

  template <std::size_t kSize>
  std::array<std::uint8_t, kSize> Fixed();
  template <std::size_t kSize>
  std::optional<std::array<std::uint8_t, kSize>> OptionalFixed();

  // An enumerator by its word; a word that `parse` does not know is wrong.
  template <typename E>
  E Word(std::optional<E> (*parse)(std::string_view));
  template <typename E>
  std::optional<E> OptionalWord(std::optional<E> (*parse)(std::string_view));

  // Says that the row is wrong for a reason that only its reader can see.
  void Require(bool holds) { ok_ = ok_ && holds; }

  void Skip(std::size_t count);

  // Fails with kCorrupt, naming the table but no value, if a value was wrong or
  // is left over.
  base::Status Done() const;

 private:
  Value Next();
  bool NextIsNull() const;
  hsm::Algorithm OneOf(std::initializer_list<hsm::Algorithm> those);
  template <typename T>
  T NextOf();

  std::string_view table_;
  std::span<Value> rest_;
  bool ok_ = true;
};

// What a column holds for the value of a model.
Value ToValue(std::string_view text);
Value ToValue(std::uint64_t number);
Value ToValue(bool flag);
Value ToValue(const char* text) = delete;  // It would be taken for a flag.
Value ToValue(base::WallTime time);
Value ToValue(const std::optional<base::WallTime>& time);
Value ToValue(hsm::Algorithm algorithm);
Value BlobValue(base::ByteView bytes);
Value OptionalBlobValue(base::ByteView bytes);  // Empty is null.

template <std::size_t kSize>
std::array<std::uint8_t, kSize> Columns::Fixed() {
  std::array<std::uint8_t, kSize> out{};
  const base::Bytes bytes = Blob();
  if (bytes.size() != kSize) {
    ok_ = false;
    return out;
  }
  std::ranges::copy(bytes, out.begin());
  return out;
}

template <std::size_t kSize>
std::optional<std::array<std::uint8_t, kSize>> Columns::OptionalFixed() {
  if (NextIsNull()) {
    Skip(1);
    return std::nullopt;
  }
  return Fixed<kSize>();
}

template <typename E>
E Columns::Word(std::optional<E> (*parse)(std::string_view)) {
  const std::optional<E> value = parse(Text());
  ok_ = ok_ && value.has_value();
  return value.value_or(E{});
}

template <typename E>
std::optional<E> Columns::OptionalWord(
    std::optional<E> (*parse)(std::string_view)) {
  if (NextIsNull()) {
    Skip(1);
    return std::nullopt;
  }
  return Word(parse);
}

}  // namespace kms::store

#endif  // KMS_STORE_COLUMNS_H_
