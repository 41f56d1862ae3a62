"""The hook of pre-commit takes the files that the linter knows by their names."""

from __future__ import annotations

import re

import pytest
import yaml
from tests.conftest import ROOT

from halfopen.lint.recognise import recognise

(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path",
    [
        "etc/sysctl.d/90-web.conf",
        "etc/tuned/web/tuned.conf",
        "nginx/nginx.conf",
        "haproxy.cfg",
        "valkey.conf",
        "postgresql.conf",
        "app.socket",
        "app.service",
        "systemd/app.socket.d/few.conf",
        "systemd/app.service.d/limits.conf",
        "etc/wireguard/wg0.conf",
        "etc/network/interfaces",
        "etc/network/interfaces.d/eth0",
        "web.nft",
        "etc/iptables/rules.v6",
        "docker-compose.yml",
        "k8s/deployment.yaml",
        "image/Dockerfile",
        "tune.sh",
        "etc/rc.local",
    ],
)
def test_the_hook_takes(path: str) -> None:
    assert recognise(path, "") is not None
    assert re.search(HOOK["files"], path)
    assert not re.search(HOOK["exclude"], path)
