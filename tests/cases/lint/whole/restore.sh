#!/bin/bash
sysctl -p /var/backups/network/sysctl_backup.conf
sysctl --system
sysctl -p
sysctl -p /etc/sysctl.d/99-tune.conf
