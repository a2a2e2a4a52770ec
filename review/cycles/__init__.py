"""When: a cycle, who is reviewed in it, and the ledger of its moves."""
