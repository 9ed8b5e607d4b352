#include "runtime/core/ranks/own_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime/shared/failure.h"

namespace core {
namespace {

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* number =
      address->sa_family == AF_INET
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(address)->sin_addr)
          : &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  inet_ntop(address->sa_family, number, text, sizeof text);
  return text;
}

struct Interface {
  std::string name, address;
};

/// The interfaces with an address of version 4 first, then those of version 6.
std::vector<Interface> interfaces() {
  std::vector<Interface> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const int family : {AF_INET, AF_INET6})
    for (const ifaddrs* entry = list; entry; entry = entry->ifa_next)
      if (entry->ifa_addr && entry->ifa_addr->sa_family == family)
        found.push_back({entry->ifa_name, text_of(entry->ifa_addr)});
  freeifaddrs(list);
  return found;
}

std::string address_of_interface(const std::string& variable, const std::string& name) {
  for (const Interface& interface : interfaces())
    if (interface.name == name) return interface.address;
  throw Failure(Exit::bad_configuration,
                fmt::format("{}={}: there is no such interface with an address here; "
                            "there are: {}",
                            variable, name, interfaces_text()));
}

/// The address of this machine on the way to the host. No packet is sent.
std::string address_on_the_way(const std::string& host, int port) {
  addrinfo wanted = {};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
  if (code != 0)
    throw Failure(Exit::bad_configuration,
                  fmt::format("the rendezvous host {} is not known here: {}", host, gai_strerror(code)));
  std::string found;
  for (const addrinfo* entry = list; entry && found.empty(); entry = entry->ai_next) {
    const int way = socket(entry->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (way < 0) continue;
    sockaddr_storage own = {};
    socklen_t size = sizeof own;
    if (::connect(way, entry->ai_addr, entry->ai_addrlen) == 0 &&
        getsockname(way, reinterpret_cast<sockaddr*>(&own), &size) == 0)
      found = text_of(reinterpret_cast<const sockaddr*>(&own));
    ::close(way);
  }
  freeaddrinfo(list);
  if (found.empty())
    throw Failure(Exit::bad_configuration,
                  fmt::format("there is no route to the rendezvous host {}: set VAEC_IFNAME to the interface "
                              "that the ranks share: {}",
                              host, interfaces_text()));
  return found;
}

}  // namespace

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::string interfaces_text() {
  std::string text;
  for (const Interface& interface : interfaces())
    if (!is_loopback(interface.address))
      text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", interface.name, interface.address);
  return text.empty() ? "only the loopback" : text;
}

std::string own_address(const std::string& host, int port) {
  for (const char* variable : {"VAEC_IFNAME", "GLOO_SOCKET_IFNAME"})
    if (const char* name = std::getenv(variable); name && *name) return address_of_interface(variable, name);
  return address_on_the_way(host, port);
}

}  // namespace core
