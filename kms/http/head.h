// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_HEAD_H_
#define KMS_HTTP_HEAD_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/sigv4.h"
#include "base/wiping.h"

namespace kms::http {

// Why a request cannot be read: the status that the client gets before the
// connection closes, and a sentence about it.
struct Refusal {
  unsigned status;
  std::string_view reason;  // A literal.
};

inline constexpr Refusal kBadContentLength{400,
                                           "Content-Length must be one number"};
inline constexpr Refusal kBadTransferEncoding{
    400,
    "Transfer-Encoding must be exactly \"chunked\", without a "
    "Content-Length, in HTTP/1.1"};

// A Head is a request's line and header lines, gathered as they are parsed. It
// owns its bytes and is used again for the next request. Not synchronised.
class Head {
 public:
  void SetRequestLine(std::string_view method, std::string_view target,
                      bool is_http10);
  void AddField(std::string_view name, std::string_view value);

  // Ends the gathering; what is below is for afterwards.
  void Finish();

  // Why a request with this head is not to be read any further, if so.
  std::optional<Refusal> Check() const;

  std::string_view method() const { return Text(method_); }
  std::string_view target() const { return Text(target_); }
  bool is_http10() const { return is_http10_; }
  std::span<const base::HeaderView> fields() const { return fields_; }
  // Whether the client waits for "100 Continue".
  bool ExpectsContinue() const;

  std::size_t fields_seen() const { return pieces_.size(); }
  void Clear();

 private:
  // A part of text_, by position, because text_ moves as it grows.
  struct Piece {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  struct FieldPieces {
    Piece name;
    Piece value;
  };

  Piece Append(std::string_view text);
  Piece AppendOriginForm(std::string_view target);
  std::string_view Text(Piece piece) const;
  const base::HeaderView* Find(std::string_view name) const;
  bool HasTwo(std::string_view name) const;

  base::WipingString text_;
  Piece method_;
  Piece target_;
  bool is_http10_ = false;
  std::vector<FieldPieces> pieces_;
  std::vector<base::HeaderView> fields_;
};

}  // namespace kms::http

#endif  // KMS_HTTP_HEAD_H_
