// SPDX-License-Identifier: Apache-2.0
#include "kms/client/descriptors.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace kms::client {

DescriptorSet::~DescriptorSet() {
  Block* block = first_.next.load();
  while (block != nullptr) {
    const std::unique_ptr<Block> owned(block);
    block = owned->next.load();
  }
}

DescriptorSet::Entry* DescriptorSet::Take(Block& block) {
  for (Entry& entry : block.entries) {
    bool taken = false;
    if (entry.taken_.compare_exchange_strong(taken, true)) {
      return &entry;
    }
  }
  return nullptr;
}

DescriptorSet::Entry& DescriptorSet::Add(int descriptor) {
  Block* block = &first_;
  Entry* entry = Take(*block);
  while (entry == nullptr) {
    if (block->next.load() == nullptr) {
      auto fresh = std::make_unique<Block>();
      Block* none = nullptr;
      if (block->next.compare_exchange_strong(none, fresh.get())) {
        (void)fresh.release();  // The chain owns it now.
      }
    }
    block = block->next.load();
    entry = Take(*block);
  }
  struct stat found {};
  if (fstat(descriptor, &found) == 0) {
    entry->device_ = found.st_dev;
    entry->inode_ = found.st_ino;
    entry->descriptor_.store(descriptor);  // From here on it counts.
  }
  return *entry;
}

bool DescriptorSet::IsWhatWasAdded(int descriptor, const Entry& entry) {
  struct stat found {};
  return descriptor >= 0 && fstat(descriptor, &found) == 0 &&
         found.st_dev == entry.device_ && found.st_ino == entry.inode_;
}

bool DescriptorSet::IsIntact(const Entry& entry) {
  return IsWhatWasAdded(entry.descriptor_.load(), entry);
}

void DescriptorSet::CloseOnce(Entry& entry) {
  const int descriptor = entry.descriptor_.exchange(-1);
  if (IsWhatWasAdded(descriptor, entry)) {
    close(descriptor);
  }
}

void DescriptorSet::Close(Entry& entry) {
  CloseOnce(entry);
  entry.taken_.store(false);
}

void DescriptorSet::CloseAll() {
  for (Block* block = &first_; block != nullptr; block = block->next.load()) {
    for (Entry& entry : block->entries) {
      CloseOnce(entry);
    }
  }
}

}  // namespace kms::client
