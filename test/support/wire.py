"""A line with a delay between hosts that are network namespaces: each gets a TUN device `eth0`, and a packet for another host is
handed over so many milliseconds after it came. For kernels without tc's netem; rates are tc's own affair (tbf).

    wire.py ONE_WAY_MS NAMESPACE=ADDRESS ...

Prints one line when all devices are up, and ends when its stdin does.
"""
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
PACKET_BYTES_MAX = 65536


def open_tun(namespace, address, name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        f"ip link set {name} netns {namespace} name eth0",
        f"ip -n {namespace} addr add {address}/24 dev eth0",
        f"ip -n {namespace} link set eth0 up txqueuelen 1000",
    ):
        subprocess.run(command.split(), check=True)
    return device


def main():
    delay_s = float(sys.argv[1]) / 1000
    device_of, poll = {}, select.epoll()
    for n, host in enumerate(sys.argv[2:]):
        namespace, address = host.split("=")
        device = open_tun(namespace, address, f"wire{os.getpid()}{n}"[-15:])
        device_of[bytes(int(part) for part in address.split("."))] = device
        poll.register(device, select.EPOLLIN)
    poll.register(0, select.EPOLLHUP | select.EPOLLIN)
    print("up", flush=True)
    # The delay is the same for all, so what came first is due first.
    waiting = deque()
    while True:
        timeout_s = max(0, waiting[0][0] - time.monotonic()) if waiting else -1
        for device, _ in poll.poll(timeout_s):
            if device == 0:
                return
            due = time.monotonic() + delay_s
            for _ in range(64):
                try:
                    packet = os.read(device, PACKET_BYTES_MAX)
                except BlockingIOError:
                    break
                # Destination of an IPv4 header; anything else (router solicitations) goes nowhere.
                if packet[0] >> 4 == 4 and packet[16:20] in device_of:
                    waiting.append((due, device_of[packet[16:20]], packet))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, device, packet = waiting.popleft()
            try:
                os.write(device, packet)
            except BlockingIOError:
                pass  # As any full queue: the packet is lost, and TCP sends it again.


main()
