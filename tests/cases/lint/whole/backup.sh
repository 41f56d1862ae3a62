#!/bin/bash
BACKUP_DIR="/var/backups/network"
DATE=$(date +%Y%m%d_%H%M%S)
mkdir -p "$BACKUP_DIR"
sysctl -a > "$BACKUP_DIR/sysctl_$DATE.conf" 2>/dev/null
iptables-save > "$BACKUP_DIR/iptables_$DATE.rules"
cp /etc/nginx/nginx.conf "$BACKUP_DIR/nginx_$DATE.conf"
find "$BACKUP_DIR" -name "sysctl_*.conf" -mtime +30 -delete
