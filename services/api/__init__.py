"""REST for integrations, and the health of what we depend on."""
