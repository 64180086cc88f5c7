#!/bin/bash
# lftp 4.9.2 (Debian lftp, Python 3), `mirror -R` over WebDAV with http:use-propfind: after each PUT it sends a PROPPATCH
# for the file's time whose last fields (Authorization, Connection) stand behind the body. A server reads them as the
# beginning of the next request: it answers 401 or 400, and times are lost. The other requests are right.
set -euo pipefail
command -v lftp > /dev/null && command -v python3 > /dev/null || { echo "lftp or Python 3 is missing"; exit 2; }
lftp --version | head -1 | grep -q "Version 4\.9\.2 " || { echo "another version of lftp"; exit 2; }
dir=$(mktemp -d); cd "$dir"
cat > server.py <<'PY'
# Answers what lftp wants to hear, and prints what has come after the body of each request that has one.
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], file=open("port", "w"), flush=True)
CODES = {"PROPFIND": "207 Multi-Status", "PROPPATCH": "207 Multi-Status", "PUT": "201 Created", "MKCOL": "201 Created"}
def serve(link):
    data = b""
    def more():
        piece = link.recv(65536)
        if not piece: sys.exit()
        return piece
    while True:
        while b"\r\n\r\n" not in data: data += more()
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        method = lines[0].split()[0]
        length = sum(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        while len(data) < length: data += more()
        data = data[length:]
        link.settimeout(0.5)  # what belongs to this request has come by then
        try: data += more()
        except TimeoutError: pass
        link.settimeout(None)
        if length > 0 or method == "MKCOL":
            login = "with" if "authorization:" in head.decode().lower() else "without"
            print(f"{method}: {login} a login in its head, {data.decode()!r} behind the body", flush=True)
        data = b""
        if method == "HEAD" and "authorization:" not in head.decode().lower():
            link.sendall(b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')
            continue
        body = b"" if method == "HEAD" or not CODES.get(method, "").startswith("207") else b"<D:multistatus xmlns:D='DAV:'/>"
        link.sendall(f"HTTP/1.1 {CODES.get(method, '200 OK')}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PY
python3 server.py > seen & server=$!
trap 'kill $server; rm -rf "$dir"' EXIT
until [ -s port ]; do sleep 0.1; done
mkdir src; echo hello > src/a.txt
timeout 30 lftp -u name,word -e "set http:use-propfind yes; set net:max-retries 2; mirror -R src /dst; bye" "http://127.0.0.1:$(cat port)/"
lftp --version | head -1 | cut -c1-22; grep -E "^(MKCOL|PUT|PROPPATCH)" seen | tee said
diff said - <<'SEEN'
MKCOL: with a login in its head, '' behind the body
PUT: with a login in its head, '' behind the body
PROPPATCH: without a login in its head, 'Authorization: Basic bmFtZTp3b3Jk\r\nConnection: keep-alive\r\n\r\n' behind the body
SEEN
