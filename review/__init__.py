"""The map of the house. Imports go down this list, never up, and never sideways where rooms stand on one line with `|`.

    wsgi.py
    app, cli          the one place where all rooms meet; refuses to start with an unguarded view
    demo              a company that lives through its cycles by calling the same services as everybody else
    workflow          launch, remind, close, count, publish, tick; the worker; HR's desk; everyone's start page
    reports | diagnostics                         pages over published results | how well a cycle measured
    results           evidence -> scorecard -> sign-off -> second look -> publication -> reward
    tickets | follow_up                           blind tickets for ballots | case reviews after low scores, complaints
    self_review | supervisor_review | peer_review | customer_survey | custody | kpi
    responses | ballots | quality                 signed answers | unsigned ballots | spot checks of support tickets
    helpdesk          what ticket systems recorded: customers, support tickets, imports, indicators
    cycles | stats    a cycle, who is reviewed in it, the ledger of its moves | diagnostics on plain data
    schemes           by which rules: versioned schemes
    people            who: accounts, departments, reporting lines, import
    infra             db, clock, gate, sign-in, jobs, outbox, mail, tokens, forms, words, audit, error pages
    domain            the rules: standard library only, no clock, no I/O

This file imports nothing, so that `review.domain` can be used without any framework installed.
"""
