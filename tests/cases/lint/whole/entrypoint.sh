#!/bin/sh
set -e
if [ -w /proc/sys/net/core/somaxconn ]; then
  echo 1024 > /proc/sys/net/core/somaxconn
fi
sysctl -w net.core.somaxconn=${SOMAXCONN:-1024} || true
exec "$@"
