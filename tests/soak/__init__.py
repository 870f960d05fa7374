"""A session that is killed again and again beside a plain interpreter that never is: `python -m tests.soak`.

    author ──▶ acts ──▶ stage ──▶ a real kernel, which dies
                          └─────▶ oracle: the same cells, but those that died or are named as lost

`author` writes cells (of tricks: `plain`, `libraries`), `faults` are the ways to die, `stage` plays acts on
both sides, `verdicts` keeps what was found, `digest` is what of a namespace is compared. An act is data, and
so a run can be played again (`acts`). The kernel's own code is not used here,
but for the words by which a standby that died is told (`notices`).
"""
