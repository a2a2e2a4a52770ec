"""The map of the house. Imports go down this list, never up, and never sideways where rooms stand on one line with `|`.

    wsgi.py
    app, cli          the one place where all rooms meet; refuses to start with an unguarded view
    demo              a company that lives through its cycles by calling the same services as everybody else
    workflow          launch, remind, close, count, publish, tick; the worker; HR's desk; everyone's start page
    reports           pages over published results: they read a publication and nothing else
    results           evidence -> scorecard -> sign-off -> publication -> reward
    self_review | supervisor_review | peer_review | customer_survey
    responses | ballots                           signed answers | unsigned ballots and their cells
    cycles            a cycle, who is reviewed in it, and the ledger of its moves
    schemes           by which rules: versioned schemes
    people            who: accounts, departments, reporting lines, import
    infra             db, clock, gate, sign-in, jobs, outbox, mail, tokens, forms, words, audit, error pages
    domain            the rules: standard library only, no clock, no I/O

This file imports nothing, so that `review.domain` can be used without any framework installed.
"""
