#!/usr/bin/env bash
declare -A wanted=(
  ["net.ipv4.tcp_fastopen"]="3"
  ["net.ipv4.tcp_fin_timeout"]="15"
  # ["net.ipv4.tcp_tw_recycle"]="1"
  ["net.core.somaxconn"]="1024"
)
for name in "${!wanted[@]}"; do
  sysctl -w "$name=${wanted[$name]}" && echo "$name = ${wanted[$name]}" >> /etc/sysctl.conf
done
