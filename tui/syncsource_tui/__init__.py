"""A terminal UI that watches and steers SyncSources over the Kubernetes API, and over nothing else.

    app     the application: what is bound to what
    ui      widgets and screens on Textual
    kube    lists, watches, patches, logs, Events, access reviews: what goes over the wire
    core    rows, queries, plans, states: pure, knows neither Textual nor the network

Imports go downward only. Of ``syncsource`` it uses ``resource``, ``schedule`` and ``errors``.
"""
