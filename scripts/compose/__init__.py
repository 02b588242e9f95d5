"""What `make up` and its neighbours do with Docker. Standard library only: a server has Docker, make and Python, and nothing else."""
