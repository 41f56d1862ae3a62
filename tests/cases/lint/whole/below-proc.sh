#!/bin/sh
    echo "0" > /proc/sys/net/ipv4/tcp_timestamps;
    echo "1" > /proc/sys/net/ipv4/tcp_tw_reuse;
    echo "1" > /proc/sys/net/ipv4/tcp_tw_recycle;
    echo "30" > /proc/sys/net/ipv4/tcp_fin_timeout;
    echo "4096,16384,404480" > /proc/sys/net/ipv4/tcp_wmem;
