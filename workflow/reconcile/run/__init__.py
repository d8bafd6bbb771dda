"""What Snakemake needs of us: what a job depends on, what it is handed, how it reports and ends."""

COMMAND_VARIABLE = "RECONCILE_COMMAND"
"""Where the Snakefile leaves the command the user typed, for jobs that cannot see it."""
CONFIG_HASH_VARIABLE = "RECONCILE_CONFIG_SHA256"
"""Where it leaves the hash of the configuration that the run began with."""
