"""Rules on the text of a policy: what can be said before anything is compiled."""
