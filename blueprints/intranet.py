"""Who the intranet's proxy says is there: a header, believed from listed addresses alone.

It stands in for the password and for nothing else: a second factor is asked for, a disabled user
stays out. Whoever came so is there only as long as the proxy goes on naming them.
"""

import logging
from ipaddress import IPv6Address, ip_address

from flask import current_app, request
from flask import session as visit

from config import Config
from domain.accounts import fold_login

log = logging.getLogger(__name__)

MARK = "by_header"  # in a session: the header opened it
STAYS_OUT = "stays_out"  # in a visitor's cookie: has signed out, and comes in again when asked


def vouched() -> str:
    """The login that the header names; "" when there is none to be believed."""
    config: Config = current_app.config["CABINET"]
    if not config.TRUSTED_HEADER or config.TRUSTED_HEADER not in request.headers:
        return ""
    values = request.headers.getlist(config.TRUSTED_HEADER)
    login = values[0].strip()
    if not _is_listed(config):
        log.warning("%s came from an address that is not listed", config.TRUSTED_HEADER)
        return ""
    if len(values) > 1 or "," in login or not login.isprintable():
        log.warning("%s names nobody, or more than one", config.TRUSTED_HEADER)
        return ""
    return fold_login(login)


def _is_listed(config: Config) -> bool:
    """Whether the other end of the connection itself is listed: no header has a say in that."""
    environ = request.environ
    seen = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR", "")
    try:
        address = ip_address(seen)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in config.trusted_proxies)


def is_over(login: str) -> bool:
    """Whether the session at hand was opened by the header, which names somebody else by now."""
    return bool(visit.get(MARK)) and vouched() != fold_login(login)
