// SPDX-License-Identifier: Apache-2.0
#ifndef KMS_CLIENT_DESCRIPTORS_H_
#define KMS_CLIENT_DESCRIPTORS_H_

#include <sys/types.h>

#include <array>
#include <atomic>

namespace kms::client {

// A DescriptorSet knows the sockets of one client in one process, so that a
// child of that process can close what it inherited: also those that other
// threads had in their hands when it was forked. It also knows what each is:
// the host may close all descriptors, as daemons do, and open files of its own
// under their numbers.
//
// Safe to call from any thread. It takes no lock, so that a fork at any instant
// leaves it readable. Between socket() and Add, and within Close, a fork lets
// the child keep a descriptor, which does no harm but that the server sees the
// end of that connection only when the child ends.
class DescriptorSet {
 public:
  class Entry {
   private:
    friend class DescriptorSet;
    std::atomic<bool> taken_ = false;
    std::atomic<int> descriptor_ = -1;
    // What `descriptor_` is.
    dev_t device_ = 0;
    ino_t inode_ = 0;
  };

  DescriptorSet() = default;
  ~DescriptorSet();
  DescriptorSet(const DescriptorSet&) = delete;
  DescriptorSet& operator=(const DescriptorSet&) = delete;

  // Notes a descriptor that its owner will Close. The Entry lives as long as
  // the set.
  Entry& Add(int descriptor);

  // Whether the descriptor is open and still what was added. Where it is not,
  // it is the host's: not to be read, written, polled or closed.
  static bool IsIntact(const Entry& entry);

  // Closes it if it is intact, writing nothing, and forgets it.
  static void Close(Entry& entry);

  // Closes what is in the set and intact, writing nothing. Makes no call but
  // fstat() and close(): fit for a handler of pthread_atfork. What has been
  // closed is not closed again.
  void CloseAll();

 private:
  struct Block {
    std::array<Entry, 16> entries;
    std::atomic<Block*> next = nullptr;
  };

  static Entry* Take(Block& block);
  static bool IsWhatWasAdded(int descriptor, const Entry& entry);
  static void CloseOnce(Entry& entry);

  Block first_;
};

}  // namespace kms::client

#endif  // KMS_CLIENT_DESCRIPTORS_H_
