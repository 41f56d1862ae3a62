"""Who speaks first after the handshake: a client that waits for a server which waits for it hears nothing."""

from __future__ import annotations

SERVER_FIRST: dict[int, str] = {
    21: "FTP",
    22: "SSH",
    25: "SMTP",
    110: "POP3",
    119: "NNTP",
    143: "IMAP",
    587: "SMTP",
    2222: "SSH",
    3306: "MySQL",
    5900: "VNC",
    6600: "MPD",
}
"""Port → the protocol that greets: RFC 959, 4253, 5321, 1939, 3977, 9051, 6143 and the protocols' own documentation."""

CLIENT_FIRST: dict[int, str] = {
    53: "DNS",
    80: "HTTP",
    389: "LDAP",
    443: "TLS",
    465: "TLS",
    636: "TLS",
    853: "TLS",
    993: "TLS",
    995: "TLS",
    1433: "SQL Server",
    1521: "Oracle",
    1883: "MQTT",
    3128: "HTTP",
    3389: "RDP",
    5432: "PostgreSQL",
    5672: "AMQP",
    6379: "Redis",
    6443: "TLS",
    8000: "HTTP",
    8080: "HTTP",
    8443: "TLS",
    9042: "Cassandra",
    9090: "HTTP",
    9092: "Kafka",
    9200: "HTTP",
    11211: "memcached",
    27017: "MongoDB",
}
"""Port → the protocol in which the client speaks first."""
