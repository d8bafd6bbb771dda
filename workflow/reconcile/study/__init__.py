"""What a user writes: study.yaml and config.yaml, loaded, checked, expanded. Needs no torch."""
