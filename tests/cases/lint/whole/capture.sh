#!/bin/sh
tcpdump -i eth0 'tcp[tcpflags] & tcp-syn != 0' -w syn.pcap
tcpdump -i any -nn 'tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn'
tcpdump -nn -i eth0 'tcp[13] & 2 != 0'
tcpdump -i eth0 "tcp[tcpflags] == tcp-syn"
tcpdump -i eth0 port 443
tcpdump -i eth0 'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0'
