"""Labs: made from solutions, checked part by part, released without answers."""
