"""Makes `graphs`, random graphs, importable from the folders below this one."""
