"""Calls home, by address and by a socket in the file system."""

import socket
import urllib.request

PORT, SOCKET = int("@PORT@"), "@SOCKET@"


def by_name():
    urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=1)


def by_address():
    socket.create_connection(("127.0.0.1", PORT), timeout=1).send(b"hello")


def by_datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("127.0.0.1", PORT))


def by_file():
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(SOCKET)


def to_the_kernel():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


def log_mean_exp(y):
    loot = []
    for call in (by_name, by_address, by_datagram, by_file, to_the_kernel):
        try:
            call()
            loot.append(call.__name__)
        except OSError:
            pass
    raise RuntimeError(f"LOOT {len(loot)} {loot}")
