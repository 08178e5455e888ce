// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_INI_H_
#define KMS_CLIENT_INI_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/wiping.h"

namespace kms::client {

// An IniFile is the text of one of AWS's shared files, taken apart:
//
//   # a comment, also with ';', on a line of its own
//   [section]
//   name = value
//   parent =
//     child = value
//
// It is strict, because a line that two readers take differently may name
// another server or another identity: no line outside a section, no section and
// no name twice, no control characters, nothing but the above. Names of
// sections are compared as they stand, those of settings without regard to
// case. A value is everything behind the first '=' without blanks at its ends.
//
// The text may hold secrets and is wiped; the views that methods return borrow
// from it. Move-only; once made, it may be read from any thread.
class IniFile {
 public:
  static constexpr std::size_t kMaxBytes = 256U << 10;

  struct Setting {
    std::string_view
        parent;  // Empty, or the setting that it is indented under.
    std::string_view name;
    std::string_view value;
    std::size_t line = 0;
  };
  struct Section {
    std::string_view name;  // What stands in brackets, without outer blanks.
    std::size_t line = 0;
    std::vector<Setting> settings;

    // nullptr if there is none.
    const Setting* Find(std::string_view wanted,
                        std::string_view parent = {}) const;
  };

  // `file` is what messages call the text. Fails with kInvalidArgument,
  // "file:line: what is wrong and how to mend it"; no message ever holds a
  // value.
  static base::Result<IniFile> Parse(std::string file, base::WipingString text);

  // nullptr if there is none.
  const Section* Find(std::string_view name) const;
  const std::vector<Section>& sections() const { return sections_; }

  // "file:line", for messages.
  std::string At(std::size_t line) const;

 private:
  IniFile() = default;

  base::Status Line(std::string_view text, std::size_t line);
  base::Status Header(std::string_view text, std::size_t line);
  base::Status Assignment(std::string_view text, bool indented,
                          std::size_t line);
  base::Error Refuse(std::size_t line, std::string_view why) const;

  std::string file_;
  std::unique_ptr<base::WipingString> text_;  // Stays where it is when moved.
  std::vector<Section> sections_;
  std::string_view parent_;  // The last setting that is not indented.
};

}  // namespace kms::client

#endif  // KMS_CLIENT_INI_H_
