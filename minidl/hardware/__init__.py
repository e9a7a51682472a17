"""Hardware: where arrays live and arithmetic happens. Knows nothing of tensors."""
