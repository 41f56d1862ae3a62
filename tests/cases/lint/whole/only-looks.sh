#!/bin/bash
limit=$(sysctl -n net.core.somaxconn 2>/dev/null || echo 0)
if [[ "$limit" -lt 1024 ]]; then
  echo "too low: run sysctl -w net.core.somaxconn=128" >&2
fi
cat /proc/sys/net/ipv4/tcp_tw_reuse
sysctl -a 2>/dev/null | grep tcp_tw_recycle
