"""A mail server for tests that speaks just enough SMTP, and can be told to refuse, to hang up and to wait."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable


class MailServer(socketserver.ThreadingTCPServer):
    """`taken` are the messages that it said yes to; `says(verb, argument)` may answer otherwise than with yes.

    Where `says` answers "hang up", the connection ends without a word.
    """

    allow_reuse_address = daemon_threads = True

    def __init__(self, says: Callable[[str, str], str | None] = lambda verb, argument: None):
        super().__init__(("127.0.0.1", 0), _Talk)
        self.says, self.taken, self.connections = says, [], 0
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def recipients(self) -> list[str]:
        return [message["To"] for message in self.taken]

    def end(self) -> None:
        self.shutdown()
        self.server_close()


class _Talk(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.connections += 1
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            verb, _space, argument = line.decode().strip().partition(" ")
            said = self.server.says(verb.upper(), argument) or self.usual(verb.upper())
            if said == "hang up":
                return
            self.wfile.write(f"{said}\r\n".encode())
            if said.startswith("354") and not self.take():
                return
            if verb.upper() == "QUIT":
                return

    def usual(self, verb: str) -> str:
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")

    def take(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        said = self.server.says("END OF DATA", message["To"])
        if said == "hang up":
            return False
        if not said:
            self.server.taken.append(message)
        self.wfile.write(f"{said or '250 taken'}\r\n".encode())
        return True
