"""How a clip gets out: submission, decision, and the one gate to the public."""
