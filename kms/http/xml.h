// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_HTTP_XML_H_
#define KMS_HTTP_XML_H_

#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/wiping.h"

namespace kms::http {

// Appends `text` as the text of an element. Whatever it holds, the result is
// well-formed XML 1.0: markup is escaped, and what XML has no way to say (most
// control characters, U+FFFE, U+FFFF, bytes that are not UTF-8) becomes U+FFFD.
void AppendXmlEscaped(std::string_view text, base::WipingString& out);

// Appends <name>text</name>. `name` is one that IsXmlName() takes.
void AppendXmlElement(std::string_view name, std::string_view text,
                      base::WipingString& out);

// Whether `name` can be an element's: a letter or '_', then those, digits, '-'
// and '.', all of ASCII.
bool IsXmlName(std::string_view name);

// Appends the members of `object` as AWS's Query protocol has them:
//
//   {"Name":"a"}          <Name>a</Name>
//   {"On":true,"N":3}     <N>3</N><On>true</On>
//   {"Tags":[{"Key":"k"}]}  <Tags><member><Key>k</Key></member></Tags>
//   {"None":null}         (nothing)
//
// A number with a fraction is a time, as kms::JsonWriter writes it, and becomes
// 2026-11-22T12:00:00Z. Fails with kInternal, having appended a part, if
// `object` is none, a member's name cannot be an element's, or a time is out of
// range: an operation has written what it must not.
base::Status AppendXmlMembers(const base::Json& object,
                              base::WipingString& out);

}  // namespace kms::http

#endif  // KMS_HTTP_XML_H_
