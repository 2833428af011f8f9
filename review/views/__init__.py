"""HTTP for artists who submit, reviewers who decide, and the public that watches."""
