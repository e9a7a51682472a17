"""Grading a class: submissions in, a sandboxed run of each, plain results out."""
