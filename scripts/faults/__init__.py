"""`make faults`: what people notice while the first provider of models fails, in each of the ways in which providers fail."""
