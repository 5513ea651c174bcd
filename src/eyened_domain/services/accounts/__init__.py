"""Accounts: who there is, who logs in, and who may do what."""

from eyened_domain.services.accounts.passwords import LONGEST as LONGEST
from eyened_domain.services.accounts.passwords import SHORTEST as SHORTEST
from eyened_domain.services.accounts.roles import ROLES as ROLES
from eyened_domain.services.accounts.service import Accounts as Accounts
from eyened_domain.services.accounts.service import Login as Login
from eyened_domain.services.accounts.throttle import Throttle as Throttle
from eyened_domain.services.accounts.throttle import Tries as Tries
