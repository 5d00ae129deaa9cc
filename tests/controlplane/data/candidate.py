"""Stands for election twice, by a Lease and by a ConfigMap, and prints which it has won."""

from __future__ import annotations

import sys
import threading

from kubernetes import config
from kubernetes.leaderelection import leaderelection
from kubernetes.leaderelection.electionconfig import Config
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock


def stand(kind: type[LeaseLock] | type[ConfigMapLock]) -> None:
    lock = kind("election", "default", sys.argv[2])

    def won() -> None:
        print(kind.__name__, flush=True)
        threading.Event().wait()

    leaderelection.LeaderElection(Config(lock, 3, 2, 1, won, None)).run()


config.load_kube_config(sys.argv[1])
for lock in (LeaseLock, ConfigMapLock):
    threading.Thread(target=stand, args=(lock,)).start()
