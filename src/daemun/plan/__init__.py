"""The Plan: what the engine is to do, as frozen values (twin of engine/crates/plan).

Every language lowers into these types; `plan.to_json` writes what the engine's serde reads. In the order of a
request: `listener` (where it arrives, virtual hosts), `http` (how its bytes are judged), `table` and `matching`
(which route it takes), `filter`, `script` and `route` (what happens to it), `service` (where it goes), `fault`
(what is said when it fails), `log` (what is written down). `template` is the one language for text made from a
request, `tls` the terms towards clients, `scalars` and `origin` what all share. `plan` holds the whole,
`codec` turns types into readers and writers, `pretty` prints for people, `diff` says what changed.
No field has a default (DESIGN.md, law 1) and nothing here checks that ids exist: the engine does, by name.
"""
