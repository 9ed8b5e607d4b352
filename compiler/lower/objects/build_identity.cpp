#include "compiler/lower/objects/build_identity.h"

#include <fmt/format.h>
#include <link.h>

#include <cstring>

namespace lower {
namespace {

struct Search {
  const char* place;
  std::string found;
};

/// Finds the identity in the notes of an ELF file. A note is {name size, content size, type}, then name and
/// content, each padded to four bytes.
std::string identity_in(const char* notes, size_t size) {
  const auto padded = [](size_t bytes) { return (bytes + 3) & ~size_t{3}; };
  for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes + at, sizeof head);
    const size_t name = at + sizeof head, content = name + padded(head.n_namesz);
    at = content + padded(head.n_descsz);
    if (at > size) break;
    if (head.n_type != NT_GNU_BUILD_ID || head.n_namesz != 4 || std::memcmp(notes + name, "GNU", 4) != 0)
      continue;
    std::string text;
    for (size_t i = content; i < content + head.n_descsz; ++i)
      text += fmt::format("{:02x}", static_cast<unsigned char>(notes[i]));
    return text;
  }
  return {};
}

int visit(dl_phdr_info* object, size_t, void* data) {
  auto& search = *static_cast<Search*>(data);
  const auto address = reinterpret_cast<ElfW(Addr)>(search.place);
  bool holds = false;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& part = object->dlpi_phdr[i];
    const ElfW(Addr) begin = object->dlpi_addr + part.p_vaddr;
    holds |= part.p_type == PT_LOAD && address >= begin && address - begin < part.p_memsz;
  }
  if (!holds) return 0;
  for (int i = 0; i < object->dlpi_phnum && search.found.empty(); ++i) {
    const auto& part = object->dlpi_phdr[i];
    if (part.p_type == PT_NOTE)
      search.found = identity_in(search.place + (object->dlpi_addr + part.p_vaddr - address), part.p_memsz);
  }
  return 1;
}

}  // namespace

std::string build_identity(const void* address) {
  Search search{static_cast<const char*>(address), {}};
  dl_iterate_phdr(visit, &search);
  return search.found;
}

}  // namespace lower
