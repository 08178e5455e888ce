// SPDX-License-Identifier: Apache-2.0
#include "tests/fakes/pkcs11/objects.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "base/random.h"

namespace fakes::pkcs11 {
namespace {

// A line of the store: the object's name, then type:hex for each attribute.
std::string LineOf(const Object& object) {
  std::ostringstream line;
  line << object.name;
  for (const auto& [type, value] : object.attributes) {
    line << ' ' << type << ':' << base::HexEncode(value);
  }
  return line.str();
}

Object ParseLine(const std::string& line) {
  Object object;
  std::istringstream words(line);
  words >> object.name;
  for (std::string word; words >> word;) {
    const auto colon = word.find(':');
    object.attributes[std::stoul(word.substr(0, colon))] =
        base::HexDecode(word.substr(colon + 1)).value_or(Bytes());
  }
  return object;
}

}  // namespace

Attributes FromTemplate(std::span<const CK_ATTRIBUTE> attributes) {
  Attributes parsed;
  for (const CK_ATTRIBUTE& attribute : attributes) {
    const auto* bytes = static_cast<const std::uint8_t*>(attribute.pValue);
    parsed[attribute.type] = Bytes(bytes, bytes + attribute.ulValueLen);
  }
  return parsed;
}

Bytes Flag(bool value) { return {static_cast<std::uint8_t>(value ? 1 : 0)}; }

bool Object::Is(CK_ATTRIBUTE_TYPE type, bool by_default) const {
  const auto it = attributes.find(type);
  return it == attributes.end() ? by_default : it->second == Flag(true);
}

bool Object::Allows(CK_MECHANISM_TYPE mechanism) const {
  const auto it = attributes.find(CKA_ALLOWED_MECHANISMS);
  if (it == attributes.end()) {
    return true;
  }
  for (std::size_t i = 0; i + sizeof(mechanism) <= it->second.size();
       i += sizeof(mechanism)) {
    if (std::memcmp(it->second.data() + i, &mechanism, sizeof(mechanism)) ==
        0) {
      return true;
    }
  }
  return false;
}

bool Object::Matches(const Attributes& pattern) const {
  return std::ranges::all_of(pattern, [this](const auto& wanted) {
    const auto it = attributes.find(wanted.first);
    return it != attributes.end() && it->second == wanted.second;
  });
}

void Objects::Reload() {
  const char* path = std::getenv("FAKE_PKCS11_STORE");
  if (path == nullptr) {
    return;
  }
  std::ifstream file(path);
  std::map<std::string, Object> stored;
  for (std::string line; std::getline(file, line);) {
    Object object = ParseLine(line);
    stored[object.name] = std::move(object);
  }
  std::erase_if(objects_, [&](const auto& entry) {
    const std::string& name = entry.second.name;
    return !name.empty() && stored.erase(name) == 0;
  });
  for (auto& [name, object] : stored) {
    objects_[next_++] = std::move(object);
  }
}

void Objects::Store() const {
  const char* path = std::getenv("FAKE_PKCS11_STORE");
  if (path == nullptr) {
    return;
  }
  const std::string temporary = std::string(path) + ".new";
  {
    std::ofstream file(temporary, std::ios::trunc);
    for (const auto& [handle, object] : objects_) {
      if (!object.name.empty()) {
        file << LineOf(object) << '\n';
      }
    }
  }
  std::rename(temporary.c_str(), path);
}

CK_OBJECT_HANDLE Objects::Add(Object object) {
  if (object.Is(CKA_TOKEN)) {
    object.name = base::NewUuidText();
    object.owner = 0;
    Reload();
  }
  const bool stored = !object.name.empty();
  objects_[next_] = std::move(object);
  if (stored) {
    Store();
  }
  return next_++;
}

Object* Objects::Find(CK_OBJECT_HANDLE handle) {
  const auto it = objects_.find(handle);
  return it == objects_.end() ? nullptr : &it->second;
}

bool Objects::Remove(CK_OBJECT_HANDLE handle) {
  if (Object* object = Find(handle); object == nullptr) {
    return false;
  } else if (!object->name.empty()) {
    Reload();
  }
  objects_.erase(handle);
  Store();
  return true;
}

void Objects::RemoveOwnedBy(CK_SESSION_HANDLE session) {
  std::erase_if(objects_, [session](const auto& entry) {
    return entry.second.name.empty() && entry.second.owner == session;
  });
}

std::vector<CK_OBJECT_HANDLE> Objects::Matching(
    const Attributes& pattern) const {
  std::vector<CK_OBJECT_HANDLE> found;
  for (const auto& [handle, object] : objects_) {
    if (object.Matches(pattern)) {
      found.push_back(handle);
    }
  }
  return found;
}

}  // namespace fakes::pkcs11
