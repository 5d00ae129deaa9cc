"""One run, from page to commit. Knows nothing of Kubernetes: a plan comes in, an outcome goes out.

Synchronous code in threads, with one bounded queue between reading and writing.
"""
