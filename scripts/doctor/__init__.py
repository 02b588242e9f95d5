"""`make doctor`: what is wrong with a running installation, and what to do. `inside` runs with the settings of our processes."""
