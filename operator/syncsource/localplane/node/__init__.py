"""A node that is this machine: scheduler, kubelet and the controllers of Jobs and CronJobs, beside any Kubernetes API server.

A container is a process here: it sees this machine's files and network, and gets nothing of the node's environment but PATH.
Which images can be run, and by which command, is given; nothing is pulled. What a Pod asks for that takes a file system or a
network of its own keeps it Pending, with a condition that says so.
"""
