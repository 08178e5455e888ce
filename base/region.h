// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_REGION_H_
#define BASE_REGION_H_

#include <string_view>

// The names of AWS Regions: RegionType of the AWS KMS API, which is the pattern
// ^([a-z]+-){2,3}\d+$ in at most 32 bytes.
namespace base {

bool IsRegionName(std::string_view text);

// Takes such a name, of any length, off the front of `rest`; whether there was
// one. If there was none, `rest` is anything.
bool TakeRegionName(std::string_view& rest);

}  // namespace base

#endif  // BASE_REGION_H_
