"""A small real process with real metrics: serves /metrics, and fails a third of its requests between /break and /mend.

Run as ``python shop_process.py PORT``. Requests to itself come from a thread, so the counters move as in life.
"""

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import Counter, Histogram, generate_latest

REQUESTS = Counter("http_requests", "Requests served.", ["namespace", "service", "code"])
LATENCY = Histogram("http_request_duration_seconds", "Time to serve.", ["namespace", "service"])
BROKEN = threading.Event()


def serve_customers() -> None:
    count = 0
    while True:
        count += 1
        code = "500" if BROKEN.is_set() and count % 3 == 0 else "200"
        REQUESTS.labels("e2e", "checkout", code).inc()
        LATENCY.labels("e2e", "checkout").observe(0.02)
        time.sleep(0.02)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/break":
            BROKEN.set()
        if self.path == "/mend":
            BROKEN.clear()
        body = generate_latest()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


if __name__ == "__main__":
    for code in ("200", "500"):
        REQUESTS.labels("e2e", "checkout", code)
    threading.Thread(target=serve_customers, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
