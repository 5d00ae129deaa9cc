"""CEL as Kubernetes has it (KEP-2876): typed by the schema, with its own functions, over cel-expr-python (cel-cpp).

cel-expr-python was chosen over cel-python because it checks types when a rule is compiled and takes microseconds where the
other takes milliseconds. It ends an evaluation after 10,000 iterations; longer loops go on here (`longrun`).
"""
