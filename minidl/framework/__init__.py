"""Framework: tensors, the table of operations, and differentiation."""
