"""How dates are written, language by language: Django looks here before it looks into its own."""
