"""Domain models and database access of the agent platform."""
