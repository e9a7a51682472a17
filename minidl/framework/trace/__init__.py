"""Tracing: a program runs once on symbols, and what it applies is its graph.

`symbol` and `number` stand for values, `recorder` makes nodes of operations, `capture`
runs a whole program and keeps where inputs come from and where outputs go. (Chapter 7.)
"""
