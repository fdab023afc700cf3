//! RC: what refusals say.

rules![deferred_unknown_recipient];
