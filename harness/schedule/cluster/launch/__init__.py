"""Manifests that a person can read and a cluster can run: a Slurm script, a Kubernetes RayJob, a ``ray up`` file."""
