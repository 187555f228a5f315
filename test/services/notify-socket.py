"""Stands in for systemd: takes what is sent to a notify socket and prints it, a JSON line each, until its standard input ends.

    python3 notify-socket.py PATH
"""

import json
import os
import socket
import sys
import threading

path = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(path)


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
print(json.dumps({"listening": path}), flush=True)
while True:
    message, descriptors, _, _ = socket.recv_fds(server, 4096, 4)
    # BARRIER=1 comes with a pipe; closing it says that everything before it was taken.
    for descriptor in descriptors:
        os.close(descriptor)
    lines = message.decode().splitlines()
    if lines != ["BARRIER=1"]:
        print(json.dumps(dict(line.split("=", 1) for line in lines)), flush=True)
