"""The demo: a small upstream that keeps changing, and three SyncSources that keep up with it."""
