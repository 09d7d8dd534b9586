import http.server, threading
import pytest
from tests.browser.conftest import *
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

@pytest.mark.parametrize("path", ["/share", "/sign-in", "/sign-out", "/nowhere", "/entries", "/static/x.css"])
def test_it(open_at_home, live, foreseen, path):
    foreseen += ["status of", "http://localhost", "favicon"]
    body = f'<form method=post action="{live}{path}" enctype="multipart/form-data"><button>x</button></form>'.encode()
    class H(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200); self.send_header("Content-Type", "text/html"); self.end_headers(); self.wfile.write(body)
        def log_message(self, *a): pass
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    c = open_at_home(); p = c.new_page()
    c.add_cookies([x | {"sameSite": "Lax"} for x in c.cookies()])
    before = c.cookies(); print(before)
    p.goto(f"http://localhost:{s.server_port}/")
    p.locator("button").click()
    p.wait_for_url(live + "/**")
    after = c.cookies()
    p.goto("/settings")
    s.shutdown(); s.server_close()
    assert "/sign-in" not in p.url, (before, after)
