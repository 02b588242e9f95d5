"""Tasks by the drawer of the use case they call."""
