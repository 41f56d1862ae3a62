"""Programs that listen: which backlog they ask for by themselves, and where a person changes it.

Names are those of ``/proc/<pid>/comm``, cut at 15 bytes by the kernel. A default is given only where the program's own
documentation or source names it as a constant. What is not listed is not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """How a program is told its backlog."""

    name: str
    setting: str
    """Where: ``listen 443 backlog=4096;``; ``{want}`` stands for the number."""
    default: int | None = None
    """The backlog it passes to listen() unasked; null: the cap of the kernel, or not a constant."""
    source: str = ""
    reload: str = ""
    """The command after which it calls listen() with a number that was changed, and goes on serving; empty: it takes a
    restart. (nginx does not where the number is as before, though somaxconn is not.)"""


_NGINX = Program(
    "nginx",
    "`listen … backlog={want};` on that address",
    511,
    "nginx.org, ngx_http_core_module, listen",
    "nginx -s reload",
)
_APACHE = Program("Apache httpd", "`ListenBacklog {want}`", 511, "httpd.apache.org, mpm_common, ListenBacklog")
_REDIS = Program("Redis", "`tcp-backlog {want}`", 511, "redis.conf, tcp-backlog")
_NODE = Program("Node.js", "`server.listen({{port, backlog: {want}}})`", 511, "nodejs.org, net, server.listen()")
_PHP = Program("PHP-FPM", "`listen.backlog = {want}` of the pool", 511, "php.net, FPM configuration, listen.backlog")
_JAVA = Program(
    "a Java program", "the backlog argument of ServerSocket, Tomcat's `acceptCount`", 50, "java.net.ServerSocket"
)
_HAPROXY = Program("HAProxy", "`backlog {want}` of the frontend", None, "HAProxy configuration manual, backlog")
_POSTGRES = Program("PostgreSQL", "`max_connections`: the backlog is twice that", None, "pqcomm.c, ListenServerPort")
_MYSQL = Program("MySQL/MariaDB", "`back_log = {want}`", None, "MySQL reference manual, back_log")
_PYTHON = Program(
    "a Python program",
    "`request_queue_size` of socketserver, or `backlog=` of the framework",
    None,
    "docs.python.org, socketserver",
)

_BY_COMM: dict[str, Program] = {
    "nginx": _NGINX,
    "openresty": _NGINX,
    "apache2": _APACHE,
    "httpd": _APACHE,
    "redis-server": _REDIS,
    "valkey-server": _REDIS,
    "node": _NODE,
    "php-fpm": _PHP,
    "java": _JAVA,
    "haproxy": _HAPROXY,
    "postgres": _POSTGRES,
    "postmaster": _POSTGRES,
    "mysqld": _MYSQL,
    "mariadbd": _MYSQL,
    "memcached": Program("memcached", "`-b {want}`", 1024, "memcached --help, -b"),
    "varnishd": Program("Varnish", "`-p listen_depth={want}`", 1024, "varnishd manual, listen_depth"),
    "gunicorn": Program("Gunicorn", "`--backlog {want}`", 2048, "docs.gunicorn.org, backlog"),
    "uvicorn": Program("Uvicorn", "`--backlog {want}`", 2048, "uvicorn.org, settings, backlog"),
    "lighttpd": Program("lighttpd", "`server.listen-backlog = {want}`", 1024, "lighttpd wiki, server.listen-backlog"),
    "sshd": Program("sshd", "nothing: it is compiled in", 128, "OpenSSH, sshd.c, SSH_LISTEN_BACKLOG"),
    "systemd": Program("the socket unit", "`Backlog={want}` in its [Socket] section", None, "systemd.socket(5)"),
}


def program(comm: str | None) -> Program | None:
    """What is known of the program of that name."""
    if comm is None:
        return None
    if comm.startswith("python"):
        return _PYTHON
    return _BY_COMM.get(comm.partition(":")[0])
