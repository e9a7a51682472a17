"""The runtime: kernels, as real CUDA C, and how to get at them. (Chapter 11.)"""
