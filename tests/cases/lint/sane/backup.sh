#!/bin/bash
# Keeps a week of what matters, and nothing that is secret.
set -euo pipefail
umask 077
DIR=${1:-/var/backups/host}
STAMP=$(date +%Y%m%d)
mkdir -p "$DIR"
sysctl net.core.somaxconn net.ipv4.tcp_syncookies > "$DIR/sysctl-$STAMP.conf"
iptables-save > "$DIR/firewall-$STAMP.rules"
tar --create --gzip --file "$DIR/etc-$STAMP.tar.gz" /etc/nginx
find "$DIR" -maxdepth 1 -type f -name '*-????????.*' -mtime +7 -delete
for key in somaxconn optmem_max; do
    echo "$key: $(cat /proc/sys/net/core/"$key")"
done
cat <<'END'
net.ipv4.tcp_tw_recycle = 1 is what nobody should write; this is text, and goes nowhere.
END
tcpdump -ni eth0 -s 128 -w "/tmp/$STAMP.pcap" 'tcp port 443'
