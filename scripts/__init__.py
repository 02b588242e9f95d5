"""Commands of the house; `make help` lists what calls them."""
