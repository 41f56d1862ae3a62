#!/bin/bash
for i in /proc/sys/net/ipv4/conf/*/rp_filter; do
  echo 1 > $i
done
for f in all default; do
  sysctl -w net.ipv4.conf.$f.rp_filter=2
done
