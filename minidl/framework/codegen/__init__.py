"""Generating code: loops, schedules, and printers for Numba and CUDA C. (Chapter 9.)"""
