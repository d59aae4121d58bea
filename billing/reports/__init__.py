"""Reports: pure questions to the ledger and the bills, each answered with a typed table.

`catalogue` lists them, `asking` reads what a person wants to see, `postings` and `receivables` say which rows are behind a
number (the same object counts them and links to them), `table` is the answer. Pages, CSV and the API only draw tables.

They read the postings themselves, no daily sums beside them: at a million postings a month takes 0.1 s and a year half a
second to a second (`bin/bench reports`), and what is not stored twice cannot differ.
"""
