guard_syns() {
  local per_second=${1:-25}
  $IPTABLES -N syns
  $IPTABLES -A syns -p tcp --syn -m limit --limit $per_second/second --limit-burst 50 -j RETURN
  $IPTABLES -A syns -j DROP
  $IPTABLES -A INPUT -p tcp --syn -j syns
}
