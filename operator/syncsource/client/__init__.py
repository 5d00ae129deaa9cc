"""What commands ask of a control plane, whichever it is: look, apply, request, wait. Connects as kubectl does.

Talks to a Kubernetes API and nothing else; never touches a database or an upstream.
"""
