"""Where runs execute: worker processes under a pool, or this very process. Knows nothing of kopf or Kubernetes.

Workers are processes of their own, so that no run's CPU work blocks the operator's loop, and a worker that dies
fails its runs and nothing else. Plans, with their secrets, go to them through a pipe, never on a command line.
"""
