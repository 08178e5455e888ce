// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_OPERATIONS_H_
#define HSM_OPERATIONS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "hsm/algorithms.h"
#include "hsm/messages.h"

// The table of everything that crosses the token boundary. It drives encoding,
// dispatch, scheduling, deadlines and metrics; docs/protocol/worker.md prints
// it. A number is never used again for something else.
namespace hsm {

// A quick operation takes ten to forty times what a short one takes: it goes to
// the same workers, but waits in a queue of its own. A long operation may hold
// a worker for many milliseconds: where there are several workers, the first is
// kept free of them. A slow one, which may search for primes, holds it for
// seconds: it has a worker of its own.
enum class Lane : std::uint8_t { kShort, kQuick, kLong, kSlow };
inline constexpr std::size_t kLaneCount = 4;

// Whether what is behind such an operation waits long.
constexpr bool HoldsUp(Lane lane) {
  return lane == Lane::kLong || lane == Lane::kSlow;
}

// The longest frame, counted as its length field counts. Only a listing of
// keys may be longer.
inline constexpr std::size_t kMaxFrame = 64 * 1024;
inline constexpr std::size_t kMaxListing = 16 * 1024 * 1024;

// Where an operation may run if several tokens share the keys of a key store.
enum class Scope : std::uint8_t {
  // On the home token only, and once: it makes, lists or destroys objects.
  kHome,
  // On any token that has the keys which the request names, and a second time
  // if its worker dies: nothing of it stays on a token, and what the dead
  // worker made has been seen by nobody.
  kShared
};

struct OperationRow {
  std::uint8_t number;
  std::string_view name;
  int cost;  // In units of one AES-GCM operation.
  Lane lane;
  std::chrono::milliseconds deadline;
  Scope scope = Scope::kHome;
  std::size_t max_reply = kMaxFrame;
};

template <typename RequestType, typename ReplyType>
struct Operation : OperationRow {
  using Request = RequestType;
  using Reply = ReplyType;
};

inline constexpr std::chrono::milliseconds kShortDeadline{10'000};
inline constexpr std::chrono::milliseconds kLongDeadline{120'000};
// Of what makes a key or pair without a search for primes.
inline constexpr std::chrono::milliseconds kMakingDeadline{30'000};

// clang-format off
inline constexpr std::tuple kOperations{
    Operation<GenerateKeyRequest, GenerateKeyReply>{
        {1, "GenerateKey", 40, Lane::kLong, kMakingDeadline}},
    Operation<EncryptRequest, Sealed>{
        {2, "Encrypt", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<DecryptRequest, PlaintextReply>{
        {3, "Decrypt", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<GenerateDataKeyRequest, GenerateDataKeyReply>{
        {4, "GenerateDataKey", 1, Lane::kShort, kShortDeadline,
         Scope::kShared}},
    Operation<ReEncryptRequest, Sealed>{
        {5, "ReEncrypt", 2, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<RandomRequest, PlaintextReply>{
        {6, "Random", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<DestroyKeyRequest, EmptyReply>{
        {7, "DestroyKey", 40, Lane::kLong, kLongDeadline}},
    Operation<EvictKeyRequest, EmptyReply>{
        {8, "EvictKey", 1, Lane::kShort, std::chrono::milliseconds{2000}}},
    Operation<CheckKeyRequest, GenerateKeyReply>{
        {9, "CheckKey", 4, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<HealthRequest, EmptyReply>{
        {10, "Health", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<CapabilitiesRequest, Capabilities>{
        {11, "Capabilities", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<ListKeysRequest, ListKeysReply>{
        {12, "ListKeys", 40, Lane::kLong, kLongDeadline, Scope::kHome,
         kMaxListing}},
    Operation<GenerateKeyPairRequest, GenerateKeyPairReply>{
        {13, "GenerateKeyPair", 40, Lane::kSlow, kLongDeadline}},
    Operation<SignRequest, SignReply>{
        {14, "Sign", 80, Lane::kLong, kShortDeadline, Scope::kShared}},
    Operation<MacRequest, MacReply>{
        {15, "Mac", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<AgreeRequest, PlaintextReply>{
        {16, "Agree", 20, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<RsaDecryptRequest, PlaintextReply>{
        {17, "RsaDecrypt", 80, Lane::kLong, kShortDeadline, Scope::kShared}},
    Operation<GenerateDataKeyPairRequest, GenerateDataKeyPairReply>{
        {18, "GenerateDataKeyPair", 40, Lane::kSlow, kLongDeadline,
         Scope::kShared}},
    Operation<ImportKeyRequest, ImportKeyReply>{
        {19, "ImportKey", 160, Lane::kLong, kLongDeadline}},
    Operation<ImportRouteRequest, ImportRouteReply>{
        {20, "ImportRoute", 1, Lane::kShort, kShortDeadline}},
    Operation<GenerateWrappedKeyRequest, GenerateWrappedKeyReply>{
        {21, "GenerateWrappedKey", 40, Lane::kSlow, kLongDeadline,
         Scope::kShared}},
    Operation<SealExternalRequest, SealExternalReply>{
        {22, "SealExternal", 2, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<OpenExternalRequest, PlaintextReply>{
        {23, "OpenExternal", 1, Lane::kShort, kShortDeadline, Scope::kShared}},
    Operation<XksRequest, XksReply>{
        {24, "Xks", 1, Lane::kShort, kShortDeadline}},
    Operation<MakeTransportKeyRequest, MakeTransportKeyReply>{
        {25, "MakeTransportKey", 40, Lane::kSlow, kLongDeadline}},
    Operation<ShareWrappingKeyRequest, ShareWrappingKeyReply>{
        {26, "ShareWrappingKey", 40, Lane::kLong, kLongDeadline}},
    Operation<ReceiveWrappingKeyRequest, EmptyReply>{
        {27, "ReceiveWrappingKey", 80, Lane::kLong, kLongDeadline}},
    Operation<CheckPinRequest, CheckPinReply>{
        {28, "CheckPin", 1, Lane::kShort, kShortDeadline}},
    Operation<KeepWrappedKeyRequest, EmptyReply>{
        {29, "KeepWrappedKey", 160, Lane::kLong, kLongDeadline}},
};
// clang-format on

inline constexpr std::size_t kOperationCount =
    std::tuple_size_v<decltype(kOperations)>;

// The rows alone; the row of operation N is at N - 1.
inline constexpr std::array<OperationRow, kOperationCount> kOperationRows =
    std::apply(
        [](const auto&... row) {
          return std::array<OperationRow, kOperationCount>{row...};
        },
        kOperations);

static_assert([] {
  for (std::size_t i = 0; i < kOperationCount; ++i) {
    if (kOperationRows[i].number != i + 1) {
      return false;
    }
  }
  return true;
}());

// The place in the table of the operation that takes `Request`.
template <typename Request>
inline constexpr std::size_t kOperationIndex = [
]<std::size_t... I>(std::index_sequence<I...>) {
  return ((std::is_same_v<
               typename std::tuple_element_t<I, decltype(kOperations)>::Request,
               Request>
               ? I
               : 0) +
          ...);
}
(std::make_index_sequence<kOperationCount>());

template <typename Request>
using ReplyTo = typename std::tuple_element_t<
    kOperationIndex<Request>,
    std::remove_const_t<decltype(kOperations)>>::Reply;

template <typename Request>
constexpr const OperationRow& RowOf() {
  return kOperationRows[kOperationIndex<Request>];
}

constexpr OperationRow WithDeadline(OperationRow row,
                                    std::chrono::milliseconds deadline) {
  row.deadline = deadline;
  return row;
}

// Whether a key of that algorithm is two primes, or of no kind we know.
constexpr bool IsOfPrimes(Algorithm algorithm) {
  const AlgorithmRow* const row = FindAlgorithm(algorithm);
  return row == nullptr || row->kind == KeyKind::kRsa;
}

// The row by which one request is scheduled: that of its operation, but for
// signatures of a tenth of a millisecond and keys that are made as quickly, and
// for the deadline of keys that need no primes.
template <typename Request>
constexpr const OperationRow& RowFor(const Request& /*request*/) {
  return RowOf<Request>();
}
inline constexpr OperationRow kQuickSign{
    14, "Sign", 10, Lane::kQuick, kShortDeadline, Scope::kShared};
static_assert(kQuickSign.number == RowOf<SignRequest>().number);
constexpr const OperationRow& RowFor(const SignRequest& request) {
  return request.key.algorithm == Algorithm::kP256Sign ||
                 request.key.algorithm == Algorithm::kEd25519Sign
             ? kQuickSign
             : RowOf<SignRequest>();
}
inline constexpr OperationRow kPairWithoutPrimes =
    WithDeadline(RowOf<GenerateKeyPairRequest>(), kMakingDeadline);
constexpr const OperationRow& RowFor(const GenerateKeyPairRequest& request) {
  return IsOfPrimes(request.key.algorithm) ? RowOf<GenerateKeyPairRequest>()
                                           : kPairWithoutPrimes;
}
inline constexpr OperationRow kDataPairWithoutPrimes =
    WithDeadline(RowOf<GenerateDataKeyPairRequest>(), kMakingDeadline);
constexpr const OperationRow& RowFor(
    const GenerateDataKeyPairRequest& request) {
  return IsOfPrimes(request.pair) ? RowOf<GenerateDataKeyPairRequest>()
                                  : kDataPairWithoutPrimes;
}
inline constexpr OperationRow kQuickGeneration{
    21,           "GenerateWrappedKey", 40,
    Lane::kQuick, kMakingDeadline,      Scope::kShared};
static_assert(kQuickGeneration.number ==
              RowOf<GenerateWrappedKeyRequest>().number);
inline constexpr OperationRow kWrappedWithoutPrimes =
    WithDeadline(RowOf<GenerateWrappedKeyRequest>(), kMakingDeadline);
constexpr const OperationRow& RowFor(const GenerateWrappedKeyRequest& request) {
  const AlgorithmRow* const row = FindAlgorithm(request.key.algorithm);
  const bool is_quick =
      row != nullptr &&
      (!IsKeyPair(row->kind) || request.key.algorithm == Algorithm::kP256Sign ||
       request.key.algorithm == Algorithm::kP256Agree);
  if (is_quick) {
    return kQuickGeneration;
  }
  return IsOfPrimes(request.key.algorithm) ? RowOf<GenerateWrappedKeyRequest>()
                                           : kWrappedWithoutPrimes;
}

}  // namespace hsm

#endif  // HSM_OPERATIONS_H_
