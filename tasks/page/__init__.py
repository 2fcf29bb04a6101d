"""What a run made, as one page that needs nothing beside it: pictures first, figures beside them, from the records alone."""

from .document import write as write
