"""Double entry that only grows (DESIGN §3.4). The one place that writes postings; balances are sums of them.

`chart` names the accounts, `posting` writes entries, `checking` recomputes everything and reports. The database itself
refuses unbalanced, empty, late, changed, deleted and repeated entries (migration `0004_ledger_guards`).
"""
