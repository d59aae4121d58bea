"""The due-date engine: what a day makes due, and doing it for every location once per local day.

`lines` and `bills` decide what is on a bill, `unused` handles days out of turn, `night` does one location's day chunk by
chunk, `nights` sees to it that every day is done, `preview` shows a day without doing it.
"""
