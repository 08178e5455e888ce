// SPDX-License-Identifier: Apache-2.0
#include "kms/service.h"

namespace kms {

std::string_view DoorName(Door door) {
  switch (door) {
    case Door::kHttp:
      return "http";
    case Door::kHttps:
      return "https";
    case Door::kUnix:
      return "unix";
  }
  return "unknown";
}

}  // namespace kms
