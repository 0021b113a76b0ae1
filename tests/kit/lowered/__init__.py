"""Plans lowered by hand, for `tests/golden/plan`: what each source there means, said once and independently.

`nginx` has nginx's values and pieces, `locations`, `rewriting` and `admission` the cases made of them, `seeds` the
user's own files, `traefik` Traefik's values. `golden` lists them all; `python -m tests.kit.lowered.golden` writes them.
The languages' lowering does not use this: the two are to be compared.
"""
