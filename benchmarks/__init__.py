"""How fast TemPhone is, measured beside what else does the same work. Programs that print; no tests.

``python -m benchmarks`` runs all and writes ``docs/performance.md``; each module runs alone, too.
"""
