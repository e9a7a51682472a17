"""Scripting: a program is read, not only watched, so that its `if` and `while` stay.

`source` is text, tokens and tree; `frame` runs a function's tree on symbols, by the
tables that `expressions`, `calls`, `statements`, `branches` and `loops` fill;
`scripted` is what `script` returns, and `running` what it does when called; `types` and
`check` say before anything runs which shapes don't fit. (Chapter 7.)
"""
