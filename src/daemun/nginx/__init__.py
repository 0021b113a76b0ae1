"""nginx's language: nginx.conf read, judged and lowered to the Plan.

text ─ read ─► Directives (with places) ─ Levels (what each block inherits) ─ lower ─► Plan
"""
