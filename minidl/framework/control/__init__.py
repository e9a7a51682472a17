"""Control flow: `cond`, `while_loop` and `scan` as nodes that hold graphs.

`several` lets an operation have several results, `pull` differentiates a graph, `rows`
are the three rows of the table, `inner` traces a branch or a body, and `api` is what a
program calls. (Chapter 7.)
"""
