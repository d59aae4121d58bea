"""Routers that were run with something else: how their words are understood. Pure: text in, values out."""
