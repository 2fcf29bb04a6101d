"""Model files as files, whichever framework wrote them: what is really inside, and what a device makes of them."""
