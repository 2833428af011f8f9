"""Who may come in: people, invitations, memberships, and the record of what people did."""
