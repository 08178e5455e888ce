// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_FUZZ_PKCS11_ARGUMENTS_H_
#define TESTS_FUZZ_PKCS11_ARGUMENTS_H_

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "pkcs11/p11_v3.h"

// What a fuzzer makes the arguments of Cryptoki functions of, from their types.
namespace pkcs11::module {

// What the fuzzer decides; zeros once that is used up.
class Input {
 public:
  explicit Input(base::ByteView bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t Byte();
  CK_ULONG Raw();
  bool Rarely() { return Byte() >= 0xF0; }
  // Up to `size` bytes of the input, repeated.
  void Fill(std::span<std::uint8_t> out);

 private:
  base::ByteView rest_;
};

// The process that calls: the numbers that it was told.
struct Caller {
  std::vector<CK_OBJECT_HANDLE> objects;
  std::deque<CK_SESSION_HANDLE> sessions;  // The newest first.
  std::deque<CK_ULONG> words;              // Other results, the newest first.
};

void Learn(std::deque<CK_ULONG>& known, CK_ULONG word);

// Longer than anything is.
inline constexpr CK_ULONG kHuge = CK_ULONG{1} << 40U;
// More than any output has, so that a caller may say that there is any room.
inline constexpr std::size_t kRoom = 16384;

// The arguments of one call, from the first to the last. A length belongs to
// the pointer before it.
class Arguments {
 public:
  Arguments(Input& input, Caller& caller) : input_(input), caller_(caller) {}

  template <typename T, typename Following>
  T Next() {
    if constexpr (std::is_same_v<T, CK_ULONG>) {
      return Length();
    } else if constexpr (std::is_same_v<T, CK_BBOOL>) {
      return input_.Byte();
    } else if constexpr (std::is_same_v<T, CK_BYTE*>) {
      return Buffer<Following>();
    } else if constexpr (std::is_same_v<T, CK_ULONG*>) {
      return Words<Following>();
    } else if constexpr (std::is_same_v<T, CK_MECHANISM*>) {
      return MechanismArgument();
    } else if constexpr (std::is_same_v<T, CK_ATTRIBUTE*>) {
      return Template();
    } else if constexpr (std::is_same_v<T, void*>) {
      return input_.Rarely() ? InitializeArguments() : nullptr;
    } else if constexpr (std::is_pointer_v<T> &&
                         !std::is_function_v<std::remove_pointer_t<T>>) {
      return Structure<T>();
    } else {
      return nullptr;  // A callback.
    }
  }

  // After the call.
  void LearnOutput() {
    for (const CK_ULONG* const word : outputs_) {
      Learn(caller_.words, *word);
    }
  }

 private:
  std::uint8_t* Allocate(std::size_t size) {
    // As long as it is, for the address sanitizer.
    return memory_.emplace_back(new std::uint8_t[size]()).get();
  }

  CK_ULONG Word();

  CK_ULONG Length() {
    const auto length = std::exchange(length_, std::nullopt);
    return length.has_value() ? *length : Word();
  }

  template <typename Following>
  CK_BYTE* Buffer() {
    if constexpr (std::is_same_v<Following, CK_ULONG*>) {
      return OutputBuffer();
    }
    const std::size_t size = input_.Byte() * (input_.Rarely() ? 32U : 1U);
    length_ = input_.Rarely() ? kHuge : size;
    if (input_.Rarely()) {
      return nullptr;
    }
    // One more for who reads until a zero.
    const bool text = !std::is_same_v<Following, CK_ULONG>;
    std::uint8_t* const bytes = Allocate(size + (text ? 1 : 0));
    input_.Fill({bytes, size});
    last_ = {bytes, size};
    return bytes;
  }

  CK_BYTE* OutputBuffer();

  template <typename Following>
  CK_ULONG* Words() {
    constexpr bool kList = std::is_same_v<Following, CK_ULONG> ||
                           std::is_same_v<Following, CK_ULONG*>;
    const std::size_t count = kList ? input_.Byte() % 64U : 1;
    const std::optional<CK_ULONG> before = length_;
    length_ = std::nullopt;
    if (kList) {
      length_ = count;
    }
    if (input_.Rarely()) {
      return nullptr;
    }
    auto* const words =
        reinterpret_cast<CK_ULONG*>(Allocate(count * sizeof(CK_ULONG)));
    if (count != 0) {
      *words = before.value_or(0);
      outputs_.push_back(words);
    }
    return words;
  }

  // A parameter of bytes, or one with pointers in it.
  void SetParameter(CK_MECHANISM& mechanism);

  template <typename T>
  T* Parameter(CK_MECHANISM& mechanism) {
    mechanism.pParameter = Allocate(sizeof(T));
    mechanism.ulParameterLen = input_.Rarely() ? sizeof(T) - 1 : sizeof(T);
    return static_cast<T*>(mechanism.pParameter);
  }

  CK_MECHANISM* MechanismArgument();
  void SetRow(CK_ATTRIBUTE& row);
  CK_ATTRIBUTE* Template();
  void* InitializeArguments();

  // What is only written, by whom it is given to; zeros.
  template <typename T>
  T Structure() {
    using Pointee = std::remove_pointer_t<T>;
    constexpr std::size_t kCount = 4;
    if (input_.Rarely()) {
      return nullptr;
    }
    length_ = input_.Byte() % (kCount + 1);
    std::uint8_t* const bytes = Allocate(sizeof(std::array<Pointee, kCount>));
    if constexpr (std::is_same_v<Pointee, CK_VERSION>) {
      input_.Fill({bytes, sizeof(Pointee)});
    }
    return reinterpret_cast<T>(bytes);
  }

  Input& input_;
  Caller& caller_;
  std::vector<std::unique_ptr<std::uint8_t[]>> memory_;
  std::vector<const CK_ULONG*> outputs_;
  std::optional<CK_ULONG> length_;  // Of what the last argument points to.
  std::span<std::uint8_t> last_;    // The last buffer that was read.
};

}  // namespace pkcs11::module

#endif  // TESTS_FUZZ_PKCS11_ARGUMENTS_H_
