"""How the web processes run: threads, because members wait on video bytes and not on this program's arithmetic."""

worker_class = "gthread"
workers = 2
threads = 8
graceful_timeout = 3  # seconds for requests under way when it is told to end
control_socket_disable = True  # its socket would lie in a home directory; versions that have none ignore this
# No access log: a path may hold an invitation's key.
