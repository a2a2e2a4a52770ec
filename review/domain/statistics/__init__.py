"""Diagnostics beside the official score, in plain Python: they say how far a number can be trusted and change none.

Every function takes plain numbers, computes exactly as long as fractions go, and refuses with a code "stats:…" what it
cannot answer. None stands for "not defined on these data" (no variance to divide), never for "wrong input".
"""
