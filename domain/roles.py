"""Who may do what: the roles of the cabinet's users and the rights each of them has."""

from enum import StrEnum


class Role(StrEnum):
    """A user's role. The first three belong to a client, the last two to the operator."""

    CLIENT_ADMINISTRATOR = "client-administrator"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"
    OPERATOR_ADMINISTRATOR = "operator-administrator"
    CLERK = "clerk"

    @property
    def is_operator(self) -> bool:
        """True for the operator's own people, who belong to no client."""
        return self in OPERATOR_ROLES


CLIENT_ROLES = frozenset({Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT, Role.VIEWER})
OPERATOR_ROLES = frozenset({Role.OPERATOR_ADMINISTRATOR, Role.CLERK})
ORDERING_ROLES = frozenset(
    {Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT}
)  # may order and fetch what was made
