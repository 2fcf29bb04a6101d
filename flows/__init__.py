"""When: Prefect around DVC. DVC owns what is stale; Prefect owns order across models, retries, limits, and telling people."""
