// SPDX-License-Identifier: Apache-2.0
#include "kms/store/columns.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>
#include <variant>

#include "kms/key_spec.h"

namespace kms::store {

Value Columns::Next() {
  if (rest_.empty()) {
    ok_ = false;
    return {};
  }
  Value value = std::move(rest_.front());
  rest_ = rest_.subspan(1);
  return value;
}

template <typename T>
T Columns::NextOf() {
  Value value = Next();
  T* const held = std::get_if<T>(&value);
  if (held == nullptr) {
    ok_ = false;
    return T{};
  }
  return std::move(*held);
}

std::string Columns::Text() { return NextOf<std::string>(); }
std::int64_t Columns::Integer() { return NextOf<std::int64_t>(); }
base::Bytes Columns::Blob() { return NextOf<base::Bytes>(); }

std::uint64_t Columns::Unsigned() {
  const std::int64_t value = Integer();
  ok_ = ok_ && value >= 0;
  return static_cast<std::uint64_t>(value);
}

bool Columns::Flag() {
  const std::int64_t value = Integer();
  ok_ = ok_ && (value == 0 || value == 1);
  return value == 1;
}

base::WallTime Columns::Time() {
  return base::WallTime(std::chrono::microseconds(Integer()));
}

bool Columns::NextIsNull() const {
  return !rest_.empty() &&
         std::holds_alternative<std::monostate>(rest_.front());
}

std::optional<base::WallTime> Columns::OptionalTime() {
  if (NextIsNull()) {
    Skip(1);
    return std::nullopt;
  }
  return Time();
}

std::optional<std::int64_t> Columns::OptionalInteger() {
  if (NextIsNull()) {
    Skip(1);
    return std::nullopt;
  }
  return Integer();
}

std::string Columns::OptionalText() {
  if (NextIsNull()) {
    Skip(1);
    return {};
  }
  return Text();
}

base::Bytes Columns::OptionalBlob() {
  if (!rest_.empty() && std::holds_alternative<std::monostate>(rest_.front())) {
    Skip(1);
    return {};
  }
  return Blob();
}

hsm::Algorithm Columns::Algorithm() {
  const std::int64_t value = Integer();
  const auto algorithm = static_cast<hsm::Algorithm>(value);
  const bool known =
      value == static_cast<std::int64_t>(algorithm) &&
      std::ranges::any_of(KeyKinds(), [algorithm](const KeyKind& kind) {
        return FitsKind(kind, algorithm);
      });
  if (known) {
    return algorithm;
  }
  ok_ = false;
  return {};
}

hsm::Algorithm Columns::PairAlgorithm() {
  using enum hsm::Algorithm;
  return OneOf({kRsa2048Unwrap, kRsa3072Unwrap, kRsa4096Unwrap});
}

hsm::Algorithm Columns::ServiceAlgorithm() {
  using enum hsm::Algorithm;
  return OneOf({kXaes256Gcm, kAes256GcmCounter, kAesWrap, kHmacSha256});
}

hsm::Algorithm Columns::ExternalAlgorithm() {
  using enum hsm::Algorithm;
  return OneOf({kXaes256Gcm, kAes256GcmCounter});
}

hsm::Algorithm Columns::OneOf(std::initializer_list<hsm::Algorithm> those) {
  const std::int64_t value = Integer();
  for (const hsm::Algorithm algorithm : those) {
    if (value == static_cast<std::int64_t>(algorithm)) {
      return algorithm;
    }
  }
  ok_ = false;
  return {};
}

void Columns::Skip(std::size_t count) {
  ok_ = ok_ && count <= rest_.size();
  rest_ = rest_.subspan(std::min(count, rest_.size()));
}

base::Status Columns::Done() const {
  if (ok_ && rest_.empty()) {
    return {};
  }
  return base::Error{
      base::ErrorCode::kCorrupt,
      fmt::format("a row of the store's table {} holds what no version of "
                  "this program writes: restore the newest backup",
                  table_)};
}

Value ToValue(std::string_view text) { return std::string(text); }
Value ToValue(std::uint64_t number) {
  return static_cast<std::int64_t>(number);
}
Value ToValue(bool flag) { return std::int64_t{flag ? 1 : 0}; }
Value ToValue(base::WallTime time) {
  return std::int64_t{time.time_since_epoch().count()};
}
Value ToValue(const std::optional<base::WallTime>& time) {
  return time.has_value() ? ToValue(*time) : Value();
}
Value ToValue(hsm::Algorithm algorithm) {
  return static_cast<std::int64_t>(algorithm);
}
Value BlobValue(base::ByteView bytes) {
  return base::Bytes(bytes.begin(), bytes.end());
}
Value OptionalBlobValue(base::ByteView bytes) {
  return bytes.empty() ? Value() : BlobValue(bytes);
}

}  // namespace kms::store
