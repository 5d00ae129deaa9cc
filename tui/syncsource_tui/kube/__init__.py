"""What goes over the wire: lists, watches, patches, logs, Events and access reviews of one control plane.

Each request raises a ``core.failures.Failure`` and nothing else. No secret of the kubeconfig is shown or logged.
"""
