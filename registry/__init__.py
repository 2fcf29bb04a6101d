"""The registry's writing side; consumers read it through the runtime and never import this."""

from .audit import audit as audit
from .channels import promote as promote
from .channels import rollback as rollback
from .collect import collect as collect
from .copy import copy as copy
from .keys import AbsentError as AbsentError
from .publish import Published as Published
from .publish import publish as publish
from .publish import put_card as put_card
from .runtime import put_runtime as put_runtime
from .signing import Signer as Signer
from .store import Store as Store
from .store import open_store as open_store
from .yanking import yank as yank
