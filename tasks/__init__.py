"""What moves: one file a stage, each run as `python -m tasks.<stage> MODEL SOURCE... DEST`."""
