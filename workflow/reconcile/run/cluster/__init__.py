"""What only a run on a SLURM cluster needs; a run on one machine imports nothing of it."""
