"""What is served: one description per resource, built-in kinds from `builtin.yaml`, custom ones from their definitions.

Descriptions are data; nothing here reads or writes an object.
"""
