"""The dashboard of those who run the platform."""
