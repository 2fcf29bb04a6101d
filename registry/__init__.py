"""The registry's writing side; consumers read it through the runtime and never import this."""

from .keys import AbsentError as AbsentError
from .publish import Published as Published
from .publish import publish as publish
from .runtime import put_runtime as put_runtime
from .store import Store as Store
from .store import open_store as open_store
