#!/usr/bin/env python3
"""Two processes of MPICH in two network namespaces, with a network between them that has latency and a bandwidth.

    python3 bench/scale_net.py --latency 500 --gbit 1 -- node child.js …

Needs root and /dev/net/tun. Kernels without netem can neither delay nor limit both ways alike, so packets pass through this process: it holds
each for as long as the wire would. `--latency` is of one way, in microseconds. What the command prints is printed.
"""
import argparse
import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import threading
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
MTU = 9000


def run(*command):
    subprocess.run(command, check=True)


def tap(name):
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return end


class Way:
    """Packets on their way from one end to the other."""

    def __init__(self, start, end, latency, rate):
        self.start, self.end, self.latency, self.rate = start, end, latency, rate
        self.packets = collections.deque()
        self.free = 0.0

    def take(self):
        """Reads what has come; False when there is nothing."""
        try:
            packet = os.read(self.start, 65536)
        except BlockingIOError:
            return False
        now = time.monotonic()
        self.free = max(self.free, now) + 8 * len(packet) / self.rate
        self.packets.append((self.free + self.latency, packet))
        return True

    def give(self):
        """Writes what is due; the time of the next."""
        while self.packets and self.packets[0][0] <= time.monotonic():
            try:
                os.write(self.end, self.packets[0][1])
            except BlockingIOError:
                return time.monotonic() + 1e-4
            self.packets.popleft()
        return self.packets[0][0] if self.packets else None


def relay(ways, stopped):
    try:
        carry(ways, stopped)
    except OSError:
        # A namespace that goes takes its device along.
        if not stopped.is_set():
            raise


def carry(ways, stopped):
    while not stopped.is_set():
        due = [at for at in (way.give() for way in ways) if at is not None]
        wait = max(0.0, min(due) - time.monotonic()) if due else 0.1
        select.select([way.start for way in ways], [], [], wait)
        for way in ways:
            while way.take():
                pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=50)
    parser.add_argument("--gbit", type=float, default=10)
    parser.add_argument("--mpirun", default="mpirun.mpich")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    spaces = [f"limbeck{os.getpid()}{side}" for side in "ab"]
    devices = [f"tap{os.getpid()}{side}" for side in "ab"]
    ends = [tap(device) for device in devices]
    stopped = threading.Event()
    try:
        for number, (space, device) in enumerate(zip(spaces, devices), 1):
            run("ip", "netns", "add", space)
            run("ip", "link", "set", device, "netns", space)
            run("ip", "-n", space, "addr", "add", f"10.77.0.{number}/24", "dev", device)
            run("ip", "-n", space, "link", "set", device, "mtu", str(MTU), "up")
            run("ip", "-n", space, "link", "set", "lo", "up")
        of = (args.latency / 1e6, args.gbit * 1e9)
        ways = [Way(ends[0], ends[1], *of), Way(ends[1], ends[0], *of)]
        threading.Thread(target=relay, args=(ways, stopped), daemon=True).start()
        # Ranks of one machine would else talk through its memory: by the library, and by files in /dev/shm. `ip netns exec` has mounts of its own.
        apart = ["sh", "-c", 'mount -t tmpfs tmpfs /dev/shm && exec "$@"', "sh"]
        each = [
            ["-n", "1", "-env", "UCX_NET_DEVICES", device, "ip", "netns", "exec", space, *apart, *args.command]
            for space, device in zip(spaces, devices)
        ]
        env = {**os.environ, "MPIR_CVAR_NOLOCAL": "1", "UCX_TLS": "tcp,self", "FI_PROVIDER": "tcp"}
        code = subprocess.run([args.mpirun, *each[0], ":", *each[1]], env=env).returncode
    finally:
        stopped.set()
        for space in spaces:
            subprocess.run(["ip", "netns", "del", space], stderr=subprocess.DEVNULL)
    sys.exit(code)


if __name__ == "__main__":
    main()
