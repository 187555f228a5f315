"""Receives webhooks as Standard Webhooks says, with nothing but Python's own library; tells each as a line of JSON."""

import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = int(sys.argv[1])
SECRET = sys.argv[2]
KEY = base64.b64decode(SECRET.removeprefix("whsec_"), validate=True)
TOLERANCE_S = 300


def problem(headers, body):
    """Why a message is not believed; None where it is."""
    identity, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return "the timestamp is too old or too new"
    signed = f"{identity}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    for signature in headers.get("webhook-signature", "").split(" "):
        version, _, value = signature.partition(",")
        if version == "v1" and hmac.compare_digest(value, expected):
            return None
    return "no signature fits"


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        wrong = problem(self.headers, body)
        said = (wrong or "").encode()
        told = {"id": self.headers["webhook-id"], "problem": wrong, "path": self.path, "body": json.loads(body)}
        # It is counted before it is answered: who sees no answer sends it again.
        print(json.dumps(told), flush=True)
        self.send_response(204 if wrong is None else 400)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
