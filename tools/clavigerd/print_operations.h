// SPDX-License-Identifier: Apache-2.0
#ifndef TOOLS_CLAVIGERD_PRINT_OPERATIONS_H_
#define TOOLS_CLAVIGERD_PRINT_OPERATIONS_H_

namespace tools {

// Prints the operations table as Markdown, for the README.
void PrintOperations();

}  // namespace tools

#endif  // TOOLS_CLAVIGERD_PRINT_OPERATIONS_H_
