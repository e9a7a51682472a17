"""The kit around the library: python3 -m kit learn | check | test | ..."""
