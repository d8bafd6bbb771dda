"""The parts of the report: what it shows is worked out here, how it looks is in ``templates/``."""
