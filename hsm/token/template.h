// SPDX-License-Identifier: Apache-2.0
#ifndef HSM_TOKEN_TEMPLATE_H_
#define HSM_TOKEN_TEMPLATE_H_

#include <list>
#include <vector>

#include "base/bytes.h"
#include "base/wiping.h"
#include "hsm/token/cryptoki.h"

namespace hsm::token {

// A Template is a list of attributes that owns its values, for the calls that
// make, copy and find objects. A second value for an attribute replaces the
// first. Values are wiped: those of an imported key are secret. Move-only, not
// thread-safe.
class Template {
 public:
  Template() = default;
  Template(Template&&) = default;
  Template& operator=(Template&&) = default;

  Template& Set(CK_ATTRIBUTE_TYPE type, bool value);
  Template& Set(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  Template& Set(CK_ATTRIBUTE_TYPE type, base::ByteView value);
  Template& Set(CK_ATTRIBUTE_TYPE type, Template nested);
  Template& SetMechanisms(std::vector<CK_MECHANISM_TYPE> mechanisms);
  Template& Remove(CK_ATTRIBUTE_TYPE type);

  // Cryptoki takes non-const pointers to templates that it only reads.
  CK_ATTRIBUTE* data() const {
    return const_cast<CK_ATTRIBUTE*>(attributes_.data());
  }
  CK_ULONG size() const { return attributes_.size(); }

 private:
  Template& Put(CK_ATTRIBUTE_TYPE type, const void* value, std::size_t size);

  // A list's elements stay where they are as it grows and when it is moved.
  std::list<base::WipingBytes> values_;
  std::list<Template> nested_;
  std::vector<CK_ATTRIBUTE> attributes_;
};

}  // namespace hsm::token

#endif  // HSM_TOKEN_TEMPLATE_H_
