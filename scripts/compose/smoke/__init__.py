"""`make compose-smoke`: a copy of this checkout, brought up with `make up DEMO=1`, checked from outside and inside, and removed."""
