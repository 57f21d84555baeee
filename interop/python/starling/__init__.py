"""A second reading of docs/protocol.md: written from that page alone, standard library only. Clear, not fast."""
